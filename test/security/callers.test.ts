import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';

const userScript = fileURLToPath(new URL('../../scripts/user.ts', import.meta.url));

describe('Logged-in callers', () => {
  let archivero: SetUp;
  let files: TemporaryFolder;
  const tokens = new Map<string, string>();
  const password = 'correcta y larga';

  function user(...args: string[]): string {
    const env = { ...process.env, ENV_FILE: '', AUTH_USERS_FILE: files.join('users.json') };
    return execFileSync(process.execPath, [userScript, ...args], {
      env,
      input: `${password}\n`,
      encoding: 'utf8',
    });
  }
  const ask = (path: string, as?: string, init: RequestInit = {}): Promise<Response> =>
    fetch(archivero.url + path, {
      ...init,
      headers: {
        ...(init.headers as Record<string, string>),
        ...(as === undefined ? {} : { authorization: `Bearer ${tokens.get(as)}` }),
      },
    });
  const login = (usuario: unknown, clave: unknown = password, condition = {}): Promise<Response> =>
    fetch(`${archivero.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...condition },
      body: JSON.stringify({ usuario, clave }),
    });

  before(async () => {
    files = new TemporaryFolder();
    user('add', 'ana');
    user('add', 'luis', '--scopes', 'archivos:leer,colas:admin');
    user('add', 'jefa', '--scopes', 'archivos:leer,solicitudes:admin');
    // No service runs: every listing becomes a solicitud.
    archivero = await setUp({
      running: ['gateway'],
      env: {
        AUTH: 'jwt',
        AUTH_USERS_FILE: files.join('users.json'),
        AUTH_KEY_FILE: files.join('key.json'),
        RABBITMQ_URL: '',
      },
    });
    for (const name of ['ana', 'luis', 'jefa']) {
      const answer = await login(name);
      expect(answer.status).to.equal(200);
      expect(answer.headers.get('cache-control')).to.equal('no-store');
      const { token, tipo, vence } = (await answer.json()) as { token: string; tipo: string; vence: string };
      expect(tipo).to.equal('Bearer');
      expect(Date.parse(vence) - Date.now()).to.be.within(890_000, 905_000);
      tokens.set(name, token);
    }
  });
  after(async () => {
    await archivero[Symbol.asyncDispose]();
    files[Symbol.dispose]();
  });

  it('get tokens that can be verified with the published key', async () => {
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', archivero.url));
    const { payload } = await jwtVerify(tokens.get('luis') ?? '', keys, { algorithms: ['EdDSA'] });
    expect(payload).to.include({ sub: 'luis', iss: 'archivero', scope: 'archivos:leer colas:admin' });
    expect(await (await ask('/.well-known/jwks.json')).text()).not.to.include('"d"');
  });

  it('see the solicitud of another caller as one that does not exist', async () => {
    const id = await idOf(await ask('/listar_archivos', 'ana'));
    const unknown = '019a0000-0000-7000-8000-000000000000';
    const paths: [method: string, path: (id: string) => string][] = [
      ['GET', (of) => `/solicitudes/${of}`],
      ['HEAD', (of) => `/solicitudes/${of}`],
      ['GET', (of) => `/v1/solicitudes/${of}/respuesta`],
      ['GET', (of) => `/solicitudes/${of}/eventos`],
      ['DELETE', (of) => `/solicitudes/${of}`],
      ['POST', (of) => `/cuarentena/${of}/reintentar`],
    ];
    for (const [method, path] of paths) {
      const foreign = await ask(path(id), 'luis', { method });
      const absent = await ask(path(unknown), 'luis', { method });
      expect(foreign.status, path(id)).to.equal(404);
      expect((await foreign.text()).replaceAll(id, unknown)).to.equal(await absent.text());
      const headersOf = (answer: Response) =>
        [...answer.headers].filter(([name]) => !['date', 'x-request-id', 'keep-alive'].includes(name));
      expect(headersOf(foreign)).to.deep.equal(headersOf(absent));
      expect((await ask(path(id), undefined, { method })).status).to.equal(401);
    }
    const listed = async (as: string) =>
      ((await (await ask('/solicitudes', as)).json()) as { solicitudes: unknown[] }).solicitudes.length;
    expect([await listed('ana'), await listed('luis'), await listed('jefa')]).to.deep.equal([1, 0, 1]);
    expect((await ask(`/solicitudes/${id}`, 'ana')).status).to.equal(200);
    // solicitudes:admin allows to see and to cancel the solicitudes of other callers.
    expect((await ask(`/solicitudes/${id}`, 'jefa')).status).to.equal(200);
    expect((await ask(`/solicitudes/${id}`, 'jefa', { method: 'DELETE' })).status).to.equal(200);
    expect(await ask(`/solicitudes/${id}`, 'ana').then((answer) => answer.text())).to.include('cancelada');
  });

  it('have their own Idempotency-Keys', async () => {
    const headers = { 'idempotency-key': 'same' };
    const [first, second] = [
      await idOf(await ask('/listar_archivos?ruta=a', 'ana', { headers })),
      await idOf(await ask('/listar_archivos?ruta=b', 'luis', { headers })),
    ];
    expect(first).not.to.equal(second);
  });

  it('cannot use a cursor of another caller', async () => {
    for (const _ of [1, 2]) await ask('/listar_archivos', 'ana');
    const page = (await (await ask('/solicitudes?limite=1', 'ana')).json()) as { siguiente: string };
    const answer = await ask(`/solicitudes?limite=1&cursor=${encodeURIComponent(page.siguiente)}`, 'luis');
    expect(answer.status).to.equal(400);
  });

  it('cannot tell a wrong password from an unknown user at login', async () => {
    const wrong = await login('ana', 'otra clave');
    const unknown = await login('nadie', 'otra clave');
    expect([wrong.status, unknown.status]).to.deep.equal([401, 401]);
    expect(wrong.headers.get('www-authenticate')).to.equal('Bearer realm="archivero"');
    expect(await wrong.text()).to.equal(await unknown.text());
    for (const name of ['constructor', '__proto__', 'toString', '', 'ana\u0000']) {
      expect((await login(name)).status, name).to.equal(401);
    }
    for (const [usuario, clave] of [
      [{ $ne: '' }, password],
      ['ana', ['x']],
      ['x'.repeat(65), 'x'],
      [1, 2],
    ]) {
      expect((await login(usuario, clave)).status).to.equal(400);
    }
    expect((await login('ana', 'x'.repeat(5_000))).status).to.equal(413);
  });

  it('are refused after ten wrong passwords, without locking out other users', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await login('luis', `mala clave ${i}`)).status);
    expect(statuses).to.deep.equal([...Array<number>(10).fill(401), 429, 429]);
    const lockedOut = await login('luis');
    expect(lockedOut.status).to.equal(429);
    expect(Number(lockedOut.headers.get('retry-after'))).to.be.within(1, 900);
    expect((await login('ana')).status).to.equal(200);
    expect((await ask('/listar_archivos', 'luis')).status).to.equal(202);
  });

  it('get no token with an If-Match, which no action can meet', async () => {
    expect((await login('ana', password, { 'if-match': '*' })).status).to.equal(412);
    expect((await login('ana', 'otra clave', { 'if-match': '*' })).status).to.equal(401);
    expect((await login('ana', password, { 'if-none-match': '*' })).status).to.equal(200);
  });

  it('cannot log in after their user was removed', async () => {
    user('add', 'pepe');
    expect((await login('pepe')).status).to.equal(200);
    user('remove', 'pepe');
    expect((await login('pepe')).status).to.equal(401);
  });

  it('leave no password and no token in the log', async () => {
    // A password in the query is refused, and hidden in the log.
    expect((await ask('/login?usuario=ana&clave=en-la-direccion')).status).to.equal(405);
    await archivero.processes.get('gateway')?.waitFor(({ target }) => String(target).includes('clave=…'));
    const logged = (archivero.processes.get('gateway')?.lines ?? []).map((line) => JSON.stringify(line));
    const secrets = [
      password,
      'otra clave',
      'mala clave',
      'en-la-direccion',
      'argon2id',
      ...[...tokens.values()].map((t) => t.slice(-40)),
    ];
    expect(logged.some((line) => line.includes('"msg":"login"'))).to.equal(true);
    expect(logged.filter((line) => secrets.some((secret) => line.includes(secret)))).to.deep.equal([]);
  });

  it('keep their tokens when the gateway is restarted with the same key', async () => {
    await archivero.end('gateway');
    await archivero.start('gateway');
    expect((await ask('/listar_archivos', 'ana')).status).to.equal(202);
  });
});

describe('Anonymous access', () => {
  it('has all scopes over the loopback, but not through a proxy', async () => {
    await using archivero = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: '' } });
    expect((await archivero.get('/colas')).status).to.equal(503);
    for (const headers of [
      { 'x-forwarded-for': '203.0.113.9' },
      { forwarded: 'for=203.0.113.9' },
      { via: '1.1 x' },
    ]) {
      expect((await archivero.get('/colas', headers)).status).to.equal(403);
      expect((await archivero.get('/solicitudes', headers)).status).to.equal(200);
    }
  });

  it('needs ALLOW_ANONYMOUS to listen beyond the loopback, and then may only read', async () => {
    const env = { RABBITMQ_URL: '', GATEWAY_HOST: '0.0.0.0' };
    const refused = await setUp({ running: ['gateway'], env }).then(
      () => 'it started',
      (err: Error) => err.message,
    );
    expect(refused).to.match(/GATEWAY_HOST: .*AUTH=jwt, or ALLOW_ANONYMOUS=true/);
    await using archivero = await setUp({ running: ['gateway'], env: { ...env, ALLOW_ANONYMOUS: 'true' } });
    expect((await archivero.get('/colas')).status).to.equal(403);
    expect((await archivero.get('/listar_archivos')).status).to.equal(202);
  });
});

describe('The warning about plaintext HTTP', () => {
  it('is logged when passwords cross a network without TLS and without a trusted proxy', async () => {
    const env = { RABBITMQ_URL: '', AUTH: 'jwt', JWT_SECRET: 's'.repeat(32) };
    const warned = async (more: Record<string, string>) => {
      await using archivero = await setUp({ running: ['gateway'], env: { ...env, ...more } });
      return archivero.processes.get('gateway')?.lines.some(({ msg }) => /plaintext HTTP/.test(String(msg)));
    };
    expect(await warned({ GATEWAY_HOST: '0.0.0.0' })).to.equal(true);
    expect(await warned({ GATEWAY_HOST: '0.0.0.0', TRUSTED_PROXIES: '10.0.0.0/8' })).to.equal(false);
    expect(await warned({})).to.equal(false);
  });
});

async function idOf(answer: Response): Promise<string> {
  expect(answer.status).to.equal(202);
  return ((await answer.json()) as { solicitud: { id: string } }).solicitud.id;
}
