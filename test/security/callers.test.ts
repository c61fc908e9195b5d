import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';

const userScript = fileURLToPath(new URL('../../scripts/user.ts', import.meta.url));

describe('Callers who log in', () => {
  let house: SetUp;
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
    fetch(house.url + path, {
      ...init,
      headers: {
        ...(init.headers as Record<string, string>),
        ...(as === undefined ? {} : { authorization: `Bearer ${tokens.get(as)}` }),
      },
    });
  const login = (usuario: unknown, clave: unknown = password): Promise<Response> =>
    fetch(`${house.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ usuario, clave }),
    });

  before(async () => {
    files = new TemporaryFolder();
    user('add', 'ana');
    user('add', 'luis', '--scopes', 'archivos:leer,colas:admin');
    user('add', 'jefa', '--scopes', 'archivos:leer,solicitudes:admin');
    // Nothing answers: all that is asked becomes a solicitud.
    house = await setUp({
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
    await house[Symbol.asyncDispose]();
    files[Symbol.dispose]();
  });

  it('get tokens that others can check by the published key', async () => {
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', house.url));
    const { payload } = await jwtVerify(tokens.get('luis') ?? '', keys, { algorithms: ['EdDSA'] });
    expect(payload).to.include({ sub: 'luis', iss: 'archivero', scope: 'archivos:leer colas:admin' });
    expect(await (await ask('/.well-known/jwks.json')).text()).not.to.include('"d"');
  });

  it('own what they ask for: for others it is what nobody ever asked for', async () => {
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
      const theirs = await ask(path(id), 'luis', { method });
      const nobodys = await ask(path(unknown), 'luis', { method });
      expect(theirs.status, path(id)).to.equal(404);
      expect((await theirs.text()).replaceAll(id, unknown)).to.equal(await nobodys.text());
      const told = (answer: Response) =>
        [...answer.headers].filter(([name]) => !['date', 'x-request-id', 'keep-alive'].includes(name));
      expect(told(theirs)).to.deep.equal(told(nobodys));
      expect((await ask(path(id), undefined, { method })).status).to.equal(401);
    }
    const listed = async (as: string) =>
      ((await (await ask('/solicitudes', as)).json()) as { solicitudes: unknown[] }).solicitudes.length;
    expect([await listed('ana'), await listed('luis'), await listed('jefa')]).to.deep.equal([1, 0, 1]);
    expect((await ask(`/solicitudes/${id}`, 'ana')).status).to.equal(200);
    // Who may see those of others may also end them.
    expect((await ask(`/solicitudes/${id}`, 'jefa')).status).to.equal(200);
    expect((await ask(`/solicitudes/${id}`, 'jefa', { method: 'DELETE' })).status).to.equal(200);
    expect(await ask(`/solicitudes/${id}`, 'ana').then((answer) => answer.text())).to.include('cancelada');
  });

  it('have Idempotency-Keys of their own', async () => {
    const headers = { 'idempotency-key': 'same' };
    const [first, second] = [
      await idOf(await ask('/listar_archivos?ruta=a', 'ana', { headers })),
      await idOf(await ask('/listar_archivos?ruta=b', 'luis', { headers })),
    ];
    expect(first).not.to.equal(second);
  });

  it('cannot go through the pages of somebody else by their cursor', async () => {
    for (const _ of [1, 2]) await ask('/listar_archivos', 'ana');
    const page = (await (await ask('/solicitudes?limite=1', 'ana')).json()) as { siguiente: string };
    const answer = await ask(`/solicitudes?limite=1&cursor=${encodeURIComponent(page.siguiente)}`, 'luis');
    expect(answer.status).to.equal(400);
  });

  it('are told nothing of users by wrong passwords, unknown names and odd bodies', async () => {
    const wrong = await login('ana', 'otra clave');
    const unknown = await login('nadie', 'otra clave');
    expect([wrong.status, unknown.status]).to.deep.equal([401, 401]);
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

  it('have ten attempts, and do not shut out others', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++) statuses.push((await login('luis', `mala clave ${i}`)).status);
    expect(statuses).to.deep.equal([...Array<number>(10).fill(401), 429, 429]);
    const shut = await login('luis');
    expect(shut.status).to.equal(429);
    expect(Number(shut.headers.get('retry-after'))).to.be.within(1, 900);
    expect((await login('ana')).status).to.equal(200);
    expect((await ask('/listar_archivos', 'luis')).status).to.equal(202);
  });

  it('who were removed cannot log in any more', async () => {
    user('add', 'pepe');
    expect((await login('pepe')).status).to.equal(200);
    user('remove', 'pepe');
    expect((await login('pepe')).status).to.equal(401);
  });

  it('leave neither passwords nor tokens in any line of the log', async () => {
    // Whoever writes it there is told that this is no address, and not the whole world.
    expect((await ask('/login?usuario=ana&clave=en-la-direccion')).status).to.equal(405);
    await house.processes.get('gateway')?.waitFor(({ target }) => String(target).includes('clave=…'));
    const said = (house.processes.get('gateway')?.lines ?? []).map((line) => JSON.stringify(line));
    const secrets = [
      password,
      'otra clave',
      'mala clave',
      'en-la-direccion',
      'argon2id',
      ...[...tokens.values()].map((t) => t.slice(-40)),
    ];
    expect(said.some((line) => line.includes('"msg":"login"'))).to.equal(true);
    expect(said.filter((line) => secrets.some((secret) => line.includes(secret)))).to.deep.equal([]);
  });

  it('are known to another gateway that has the same key', async () => {
    await house.end('gateway');
    await house.start('gateway');
    expect((await ask('/listar_archivos', 'ana')).status).to.equal(202);
  });
});

describe('Without a login', () => {
  it('everybody on the loopback may do everything, but not who comes by a proxy', async () => {
    await using house = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: '' } });
    expect((await house.get('/colas')).status).to.equal(503);
    for (const headers of [
      { 'x-forwarded-for': '203.0.113.9' },
      { forwarded: 'for=203.0.113.9' },
      { via: '1.1 x' },
    ]) {
      expect((await house.get('/colas', headers)).status).to.equal(403);
      expect((await house.get('/solicitudes', headers)).status).to.equal(200);
    }
  });

  it('nothing but the loopback is bound, unless that is meant, and then everybody may only read', async () => {
    const env = { RABBITMQ_URL: '', GATEWAY_HOST: '0.0.0.0' };
    const refused = await setUp({ running: ['gateway'], env }).then(
      () => 'it started',
      (err: Error) => err.message,
    );
    expect(refused).to.match(/GATEWAY_HOST: .*AUTH=jwt, or ALLOW_ANONYMOUS=true/);
    await using house = await setUp({ running: ['gateway'], env: { ...env, ALLOW_ANONYMOUS: 'true' } });
    expect((await house.get('/colas')).status).to.equal(403);
    expect((await house.get('/listar_archivos')).status).to.equal(202);
  });

  it('whoever lets passwords come over a network in the clear is warned', async () => {
    const env = { RABBITMQ_URL: '', AUTH: 'jwt', JWT_SECRET: 's'.repeat(32) };
    const warned = async (more: Record<string, string>) => {
      await using house = await setUp({ running: ['gateway'], env: { ...env, ...more } });
      return house.processes.get('gateway')?.lines.some(({ msg }) => /plaintext HTTP/.test(String(msg)));
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
