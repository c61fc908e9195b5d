import { once } from 'node:events';
import { expect } from 'chai';
import { decodeJwt, type JWTPayload } from 'jose';
import { WebSocket } from 'ws';
import { type SetUp, setUp } from '../support/processes/set-up.ts';
import { forgedToken, startTokenIssuer, type TokenIssuer } from '../support/servers/token-issuer.ts';

describe('Tokens of an OpenID provider', () => {
  let issuer: TokenIssuer;
  let house: SetUp;
  before(async () => {
    issuer = await startTokenIssuer();
    house = await setUp({
      running: ['mserv1', 'mserv2', 'gateway'],
      env: { AUTH: 'jwt', JWT_ISSUER: issuer.url, JWT_AUDIENCE: issuer.audience, RABBITMQ_URL: '' },
    });
  });
  after(async () => {
    await house[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });

  const ask = (path: string, token?: string, init: RequestInit = {}): Promise<Response> =>
    fetch(house.url + path, {
      ...init,
      headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
  const list = (token?: string): Promise<Response> => ask('/listar_archivos', token);
  const now = (): number => Math.floor(Date.now() / 1000);

  it('let in whoever brings one', async () => {
    expect((await list(await issuer.token())).status).to.equal(200);
    const fetched = issuer.fetched;
    expect((await list(await issuer.token({ jti: 'another' }))).status).to.equal(200);
    expect(issuer.fetched).to.equal(fetched);
  });

  it('are asked for, except of what must be open to all', async () => {
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

  it('need the scope for what is asked', async () => {
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
    it(`are understood with ${name}`, async () => {
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
    [
      'a signature of another one',
      async () => `${await issuer.token()}`.replace(/\.[^.]*$/, (s) => flipped(s)),
    ],
    ['a payload that was changed', async () => withPayload(await issuer.token(), { sub: 'root' })],
    ['no signature', async () => (await issuer.token()).replace(/[^.]*$/, '')],
    ['an unknown kid', () => issuer.token({}, { kid: 'another' })],
    ['a hostile kid', () => issuer.token({}, { kid: "../../../../dev/null' OR '1'='1\u0000" })],
    ['a kid that is no text', () => issuer.token({}, { kid: { $ne: '' } })],
    ['crit that nobody knows', async () => forgedToken({ alg: 'RS256', crit: ['x'], x: 1 }, {}, 'x')],
    ['an end in the past', () => issuer.token({ exp: now() - 60 })],
    ['no end', () => issuer.token({ exp: undefined } as never)],
    ['an end that is no number', () => issuer.token({ exp: 'never' as never })],
    ['a beginning in the future', () => issuer.token({ nbf: now() + 60 })],
    ['a date of issue in the future', () => issuer.token({ iat: now() + 60 })],
    ['another audience', () => issuer.token({ aud: 'other' })],
    ['no audience', () => issuer.token({ aud: undefined } as never)],
    ['another issuer', () => issuer.token({ iss: 'https://evil.example' })],
    ['no subject', () => issuer.token({ sub: undefined } as never)],
    ['a subject with control characters', () => issuer.token({ sub: 'ana\u0000\n' })],
    ['a subject that is nobody', () => issuer.token({ sub: 'anonimo' })],
    ['50 kB', () => issuer.token({ more: 'x'.repeat(37_000) })],
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

  it('never make the gateway fetch keys from where they say', async () => {
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

  it('are not taken from other schemes, and not from the address', async () => {
    const token = await issuer.token();
    for (const authorization of [
      `Basic ${btoa('ana:x')}`,
      token,
      `Bearer ${token} x`,
      'Bearer',
      'Bearer  ',
    ]) {
      expect((await fetch(`${house.url}/listar_archivos`, { headers: { authorization } })).status).to.equal(
        401,
      );
    }
    expect((await ask(`/listar_archivos?access_token=${token}`)).status).to.equal(401);
    expect((await ask(`/listar_archivos?token=${token}`, token)).status).to.equal(400);
  });

  it('are good for as long as they last, and not longer, although they are remembered', async () => {
    // A clock may be 5 s behind.
    const token = await issuer.token({ exp: now() + 3 });
    expect((await list(token)).status).to.equal(200);
    while (now() < (decodeJwt(token).exp ?? 0) + 6) await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await list(token)).status).to.equal(401);
  });

  it('are in no line of any log', async () => {
    const token = await issuer.token({ jti: 'logged' });
    await list(token);
    await list(`${token}x`);
    await ask(`/listar_archivos?access_token=${token}`);
    await ask(`/listar_archivos?q=${token}`, token);
    await house.get('/salud');
    const said = [...house.processes.values()].flatMap(({ lines }) =>
      lines.map((line) => JSON.stringify(line)),
    );
    const [, payload = '', signature = ''] = token.split('.');
    expect(said.length).to.be.greaterThan(20);
    expect(said.filter((line) => line.includes(payload) || line.includes(signature))).to.deep.equal([]);
  });

  describe('over a WebSocket', () => {
    const url = () => `${house.url.replace('http', 'ws')}/buscar_archivos/en_vivo`;
    async function open(
      headers: Record<string, string> = {},
    ): Promise<{ socket: WebSocket; said: string[] }> {
      const socket = new WebSocket(url(), { headers });
      const said: string[] = [];
      socket.on('message', (data) => said.push(String(data)));
      await once(socket, 'open');
      return { socket, said };
    }
    const answered = (socket: WebSocket) =>
      once(socket, 'message').then(([data]) => JSON.parse(String(data)));

    it('come in the first message, and queries behind it', async () => {
      const { socket } = await open();
      socket.send(JSON.stringify({ token: await issuer.token({ jti: 'ws' }) }));
      socket.send(JSON.stringify({ nombre: 'a', numero: 7 }));
      expect(await answered(socket)).to.include({ numero: 7, total: 0 });
      socket.send(JSON.stringify({ nombre: 'token', numero: 8 }));
      expect(await answered(socket)).to.include({ numero: 8 });
      socket.terminate();
    });

    it('or with the request, where that can be done', async () => {
      const { socket } = await open({ authorization: `Bearer ${await issuer.token()}` });
      socket.send(JSON.stringify({ nombre: 'a', numero: 7 }));
      expect(await answered(socket)).to.include({ numero: 7 });
      socket.terminate();
    });

    for (const [name, first, type] of [
      ['a query before any token', async () => ({ nombre: 'a' }), 'sin-autenticar'],
      ['a token that is no good', async () => ({ token: 'a.b.c' }), 'token-no-valido'],
      [
        'a token without the scope',
        () => issuer.token({ scope: '' }).then((token) => ({ token })),
        'falta-permiso',
      ],
    ] as const) {
      it(`end with ${name}`, async () => {
        const { socket } = await open();
        const problem = answered(socket);
        socket.send(JSON.stringify(await first()));
        expect((await problem).problema).to.include({ type: `/problemas/${type}` });
        const [code] = await once(socket, 'close');
        expect(code).to.equal(1008);
      });
    }

    it('end when the token does', async () => {
      const { socket } = await open({ authorization: `Bearer ${await issuer.token({ exp: now() + 3 })}` });
      const [code] = await once(socket, 'close');
      expect(code).to.equal(1008);
    });

    it('are refused at the door when the request brings one that is no good', async () => {
      const socket = new WebSocket(url(), { headers: { authorization: 'Bearer x' } });
      const [, response] = await once(socket, 'unexpected-response');
      socket.on('error', () => undefined);
      expect(response.statusCode).to.equal(401);
      socket.terminate();
    });
  });

  describe('whose provider cannot be asked', () => {
    it('are no reason for 401, and good again when it can', async () => {
      await using away = await startTokenIssuer('ES256');
      away.broken = true;
      await house.end('gateway');
      await house.start('gateway', { JWT_ISSUER: away.url });
      const token = await away.token();
      const answer = await list(token);
      expect(answer.status).to.equal(503);
      expect(Number(answer.headers.get('retry-after'))).to.be.greaterThan(0);
      expect((await ask('/salud/viva', token)).status).to.equal(200);
      away.broken = false;
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
