import { once } from 'node:events';
import { expect } from 'chai';
import { decodeJwt, type JWTPayload } from 'jose';
import { WebSocket } from 'ws';
import { type SetUp, setUp } from '../support/processes/set-up.ts';
import { forgedToken, startTokenIssuer, type TokenIssuer } from '../support/servers/token-issuer.ts';

describe('Tokens of an OpenID provider', () => {
  let issuer: TokenIssuer;
  let archivero: SetUp;
  before(async () => {
    issuer = await startTokenIssuer();
    archivero = await setUp({
      running: ['mserv1', 'mserv2', 'gateway'],
      env: { AUTH: 'jwt', JWT_ISSUER: issuer.url, JWT_AUDIENCE: issuer.audience, RABBITMQ_URL: '' },
    });
  });
  after(async () => {
    await archivero[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });

  const ask = (path: string, token?: string, init: RequestInit = {}): Promise<Response> =>
    fetch(archivero.url + path, {
      ...init,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
  const list = (token?: string): Promise<Response> => ask('/listar_archivos', token);
  const now = (): number => Math.floor(Date.now() / 1000);

  it('are accepted, with one fetch of the keys', async () => {
    expect((await list(await issuer.token())).status).to.equal(200);
    const fetched = issuer.fetched;
    expect((await list(await issuer.token({ jti: 'another' }))).status).to.equal(200);
    expect(issuer.fetched).to.equal(fetched);
  });

  it('are required, except for the root, liveness and readiness', async () => {
    const answer = await list();
    expect(answer.status).to.equal(401);
    expect(answer.headers.get('www-authenticate')).to.equal('Bearer realm="archivero"');
    expect(await answer.json()).to.include({ type: '/problemas/sin-autenticar' });
    for (const path of ['/', '/salud/viva', '/readyz', '/v1/healthz']) {
      expect((await ask(path)).status, path).to.equal(200);
      expect((await ask(path, 'expired')).status, path).to.equal(200);
    }
    for (const path of [
      '/salud',
      '/colas',
      '/solicitudes',
      '/nada',
      '/v1/listar_archivos',
      '/LISTAR_ARCHIVOS/',
    ]) {
      expect((await ask(path)).status, path).to.equal(401);
    }
  });

  it('are missing when the credentials are of another scheme', async () => {
    for (const authorization of [
      'Basic YTpi',
      'Digest username="a"',
      'Negotiate abc',
      'Bearers abc',
      'abc',
    ]) {
      const answer = await fetch(`${archivero.url}/listar_archivos`, { headers: { authorization } });
      expect(answer.status, authorization).to.equal(401);
      expect(answer.headers.get('www-authenticate'), authorization).to.equal('Bearer realm="archivero"');
    }
    const empty = await fetch(`${archivero.url}/listar_archivos`, { headers: { authorization: 'Bearer' } });
    expect(empty.headers.get('www-authenticate')).to.match(/error="invalid_token"/);
  });

  it('need the scope of the route', async () => {
    const answer = await ask('/colas', await issuer.token());
    expect(answer.status).to.equal(403);
    expect(answer.headers.get('www-authenticate')).to.equal(
      'Bearer realm="archivero", error="insufficient_scope", scope="colas:admin"',
    );
    expect(await answer.json()).to.include({ type: '/problemas/falta-permiso' });
    for (const path of ['/COLAS', '/colas/', '/apis/queue/count']) {
      expect((await ask(path, await issuer.token())).status, path).to.equal(403);
    }
    const none = await issuer.token({ scope: 'openid profile' });
    expect((await list(none)).status).to.equal(403);
  });

  for (const [name, claims] of Object.entries({
    'scp, as a list': { scope: undefined, scp: ['openid', 'archivos:leer'] },
    'permissions, as Auth0 writes them': { scope: 'openid', permissions: ['archivos:leer'] },
    'client_id instead of aud, as Cognito writes it': { aud: undefined, client_id: 'archivos-api' },
    'several audiences': { aud: ['other', 'archivos-api'] },
  })) {
    it(`are accepted with ${name}`, async () => {
      expect((await list(await issuer.token(claims as JWTPayload))).status).to.equal(200);
    });
  }

  const refused: [name: string, token: () => string | Promise<string>][] = [
    ['alg none', async () => forgedToken({ alg: 'none' }, decodeJwt(await issuer.token()))],
    [
      'alg nOnE with a signature',
      async () => forgedToken({ alg: 'nOnE' }, decodeJwt(await issuer.token()), 'x'),
    ],
    [
      'HS256 with the public key as its secret',
      async () => forgedToken({ alg: 'HS256' }, decodeJwt(await issuer.token()), issuer.pem),
    ],
    ['a changed signature', async () => `${await issuer.token()}`.replace(/\.[^.]*$/, (s) => flipped(s))],
    ['a changed payload', async () => withPayload(await issuer.token(), { sub: 'root' })],
    ['no signature', async () => (await issuer.token()).replace(/[^.]*$/, '')],
    ['an unknown kid', () => issuer.token({}, { kid: 'another' })],
    ['a hostile kid', () => issuer.token({}, { kid: "../../../../dev/null' OR '1'='1\u0000" })],
    ['a kid that is no string', () => issuer.token({}, { kid: { $ne: '' } })],
    ['an unknown crit', async () => forgedToken({ alg: 'RS256', crit: ['x'], x: 1 }, {}, 'x')],
    ['exp in the past', () => issuer.token({ exp: now() - 60 })],
    ['no exp', () => issuer.token({ exp: undefined } as never)],
    ['exp that is no number', () => issuer.token({ exp: 'never' as never })],
    ['nbf in the future', () => issuer.token({ nbf: now() + 60 })],
    ['iat in the future', () => issuer.token({ iat: now() + 60 })],
    ['another audience', () => issuer.token({ aud: 'other' })],
    ['no audience', () => issuer.token({ aud: undefined } as never)],
    ['another issuer', () => issuer.token({ iss: 'https://evil.example' })],
    ['no subject', () => issuer.token({ sub: undefined } as never)],
    ['a subject with control characters', () => issuer.token({ sub: 'ana\u0000\n' })],
    ['the subject anonimo', () => issuer.token({ sub: 'anonimo' })],
    ['a length of 50 kB', () => issuer.token({ more: 'x'.repeat(37_000) })],
    ['no dots', () => 'abc'],
    ['five parts', () => 'a.b.c.d.e'],
  ];
  for (const [name, make] of refused) {
    it(`are refused with ${name}`, async () => {
      const answer = await list(await make());
      expect(answer.status).to.equal(401);
      expect(answer.headers.get('www-authenticate')).to.match(/error="invalid_token"/);
      expect(await answer.json()).to.include({ type: '/problemas/token-no-valido' });
    });
  }

  it('never make the gateway use keys that their header names', async () => {
    await using elsewhere = await startTokenIssuer();
    for (const header of [
      { jku: `${elsewhere.url}/keys` },
      { x5u: `${elsewhere.url}/keys` },
      { jku: `${elsewhere.url}/keys`, jwk: { kty: 'oct', k: 'AAAA' } },
    ]) {
      const token = await elsewhere.token({ iss: issuer.url, aud: issuer.audience }, header);
      expect((await list(token)).status).to.equal(401);
    }
    expect(elsewhere.fetched).to.equal(0);
  });

  it('are not accepted in another scheme or in the query', async () => {
    const token = await issuer.token();
    for (const authorization of [
      `Basic ${btoa('ana:x')}`,
      token,
      `Bearer ${token} x`,
      'Bearer',
      'Bearer  ',
    ]) {
      expect(
        (await fetch(`${archivero.url}/listar_archivos`, { headers: { authorization } })).status,
      ).to.equal(401);
    }
    expect((await ask(`/listar_archivos?access_token=${token}`)).status).to.equal(401);
    expect((await ask(`/listar_archivos?token=${token}`, token)).status).to.equal(400);
  });

  it('are refused after their expiry although they are cached', async () => {
    // Five seconds of clock skew are allowed.
    const token = await issuer.token({ exp: now() + 3 });
    expect((await list(token)).status).to.equal(200);
    while (now() < (decodeJwt(token).exp ?? 0) + 6) await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await list(token)).status).to.equal(401);
  });

  it('appear in no log line', async () => {
    const token = await issuer.token({ jti: 'logged' });
    await list(token);
    await list(`${token}x`);
    await ask(`/listar_archivos?access_token=${token}`);
    await ask(`/listar_archivos?q=${token}`, token);
    await archivero.get('/salud');
    const logged = [...archivero.processes.values()].flatMap(({ lines }) =>
      lines.map((line) => JSON.stringify(line)),
    );
    const [, payload = '', signature = ''] = token.split('.');
    expect(logged.length).to.be.greaterThan(20);
    expect(logged.filter((line) => line.includes(payload) || line.includes(signature))).to.deep.equal([]);
  });

  describe('over a WebSocket', () => {
    const url = () => `${archivero.url.replace('http', 'ws')}/buscar_archivos/en_vivo`;
    async function open(headers: Record<string, string> = {}): Promise<WebSocket> {
      const socket = new WebSocket(url(), { headers });
      await once(socket, 'open');
      return socket;
    }
    const answered = (socket: WebSocket) =>
      once(socket, 'message').then(([data]) => JSON.parse(String(data)));

    it('are accepted in the first message', async () => {
      const socket = await open();
      socket.send(JSON.stringify({ token: await issuer.token({ jti: 'ws' }) }));
      socket.send(JSON.stringify({ nombre: 'a', numero: 7 }));
      expect(await answered(socket)).to.include({ numero: 7, total: 0 });
      socket.send(JSON.stringify({ nombre: 'token', numero: 8 }));
      expect(await answered(socket)).to.include({ numero: 8 });
      socket.terminate();
    });

    it('are accepted in the handshake', async () => {
      const socket = await open({ authorization: `Bearer ${await issuer.token()}` });
      socket.send(JSON.stringify({ nombre: 'a', numero: 7 }));
      expect(await answered(socket)).to.include({ numero: 7 });
      socket.terminate();
    });

    for (const [name, first, type] of [
      ['a query before any token', async () => ({ nombre: 'a' }), 'sin-autenticar'],
      ['an invalid token', async () => ({ token: 'a.b.c' }), 'token-no-valido'],
      [
        'a token without the scope',
        () => issuer.token({ scope: '' }).then((token) => ({ token })),
        'falta-permiso',
      ],
    ] as const) {
      it(`close the connection with 1008 after ${name}`, async () => {
        const socket = await open();
        const problem = answered(socket);
        socket.send(JSON.stringify(await first()));
        expect((await problem).problema).to.include({ type: `/problemas/${type}` });
        const [code] = await once(socket, 'close');
        expect(code).to.equal(1008);
      });
    }

    it('close the connection with 1008 when they expire', async () => {
      const socket = await open({ authorization: `Bearer ${await issuer.token({ exp: now() + 3 })}` });
      const [code] = await once(socket, 'close');
      expect(code).to.equal(1008);
    });

    it('are refused in the handshake when they are invalid', async () => {
      const socket = new WebSocket(url(), { headers: { authorization: 'Bearer x' } });
      const [, response] = await once(socket, 'unexpected-response');
      socket.on('error', () => undefined);
      expect(response.statusCode).to.equal(401);
      socket.terminate();
    });
  });

  describe('of an unreachable provider', () => {
    it('give 503 instead of 401, and are accepted when the provider is back', async () => {
      await using provider = await startTokenIssuer('ES256');
      provider.broken = true;
      await archivero.end('gateway');
      await archivero.start('gateway', { JWT_ISSUER: provider.url });
      const token = await provider.token();
      const answer = await list(token);
      expect(answer.status).to.equal(503);
      expect(Number(answer.headers.get('retry-after'))).to.be.greaterThan(0);
      expect((await ask('/salud/viva', token)).status).to.equal(200);
      provider.broken = false;
      let status = 503;
      while (status === 503) status = (await list(token)).status;
      expect(status).to.equal(200);
    });
  });
});

function flipped(signature: string): string {
  const bytes = Buffer.from(signature.slice(1), 'base64url');
  bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7);
  return `.${bytes.toString('base64url')}`;
}

function withPayload(token: string, claims: object): string {
  const [header = '', , signature = ''] = token.split('.');
  const payload = Buffer.from(JSON.stringify({ ...decodeJwt(token), ...claims })).toString('base64url');
  return `${header}.${payload}.${signature}`;
}
