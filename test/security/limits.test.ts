import { expect } from 'chai';
import { SignJWT } from 'jose';
import { openLive } from '../support/clients/live-client.ts';
import { accepted } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';
import { sharedPostgres } from '../support/servers/postgres.ts';

describe('Limits', () => {
  const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });
  const statuses = async (
    archivero: SetUp,
    times: number,
    headers: Record<string, string>,
    path = '/solicitudes',
  ) => {
    const all: number[] = [];
    for (let i = 0; i < times; i++) all.push((await archivero.get(path, headers)).status);
    return all;
  };

  it('leave half of MAX_WAITERS to other callers when one caller waits', async () => {
    const env = { TRUSTED_PROXIES: '127.0.0.0/8', MAX_WAITERS: '2' };
    await using archivero = await setUp({ running: ['gateway'], env });
    const answerPath = await accepted(archivero, '/listar_archivos');
    const wait = (address: string, seconds: number) =>
      archivero.get(answerPath, { ...from(address), prefer: `wait=${seconds}` });
    const first = wait('192.0.2.1', 50);
    await eventually(async () => (await wait('192.0.2.1', 1)).status === 429);
    const refused = await wait('192.0.2.1', 1);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect((await wait('192.0.2.2', 1)).status).to.equal(202);
    await fetch(archivero.url + answerPath.replace('/respuesta', ''), { method: 'DELETE' });
    expect((await first).status).to.equal(410);
  });

  describe('on the rate of requests', () => {
    let archivero: SetUp;
    before(async () => {
      archivero = await setUp({
        running: ['gateway'],
        env: {
          RABBITMQ_URL: '',
          TRUSTED_PROXIES: '127.0.0.0/8',
          RATE_LIMITS: '5/1h, 8/2h, 1000/1d',
          RATE_LIMIT_COSTS: '/buscar_archivos=3',
        },
      });
    });
    after(() => archivero[Symbol.asyncDispose]());

    it('are sent as header fields, and give 429 to the caller beyond them only', async () => {
      const answer = await archivero.get('/solicitudes', from('192.0.2.1'));
      expect(answer.status).to.equal(200);
      expect(answer.headers.get('ratelimit-policy')).to.equal(
        '"1h";q=5;w=3600, "2h";q=8;w=7200, "1d";q=1000;w=86400',
      );
      expect(answer.headers.get('ratelimit')).to.match(
        /^"1h";r=4;t=3600, "2h";r=7;t=7200, "1d";r=999;t=86400$/,
      );
      expect(await statuses(archivero, 6, from('192.0.2.1'))).to.deep.equal([200, 200, 200, 200, 429, 429]);
      const refused = await archivero.get('/solicitudes', from('192.0.2.1'));
      expect(await refused.json()).to.include({ type: '/problemas/demasiadas-peticiones' });
      expect(Number(refused.headers.get('retry-after'))).to.be.within(3_500, 3_600);
      expect(refused.headers.get('ratelimit')).to.match(/^"1h";r=0;t=3\d\d\d$/);
      expect(await statuses(archivero, 5, from('192.0.2.2'))).to.deep.equal([200, 200, 200, 200, 200]);
    });

    it('count a search three times, and liveness not at all', async () => {
      const client = from('192.0.2.3');
      expect(await statuses(archivero, 9, client, '/salud/viva')).to.deep.equal(Array(9).fill(200));
      expect(await statuses(archivero, 2, client, '/v1/buscar_archivos')).to.deep.equal([202, 429]);
      const other = from('192.0.2.4');
      expect(
        await statuses(archivero, 2, other, '/Buscar_Archivos/'),
        'another spelling of the route',
      ).to.deep.equal([202, 429]);
      const named = { ...other, authorization: 'Bearer x' };
      expect(await statuses(archivero, 1, named, '/buscar_archivos'), 'a token without AUTH').to.deep.equal([
        429,
      ]);
    });

    it('are shared by an IPv6 network, and not evaded by a forged X-Forwarded-For', async () => {
      const addresses = [
        '2001:db8::1',
        '2001:DB8:0:0:ffff::2',
        '[2001:db8::3]:4711',
        '2001:db8:0:0:1:2:3:4',
        '2001:db8::5',
      ];
      for (const address of addresses)
        expect(await statuses(archivero, 1, from(address))).to.deep.equal([200]);
      expect(await statuses(archivero, 1, from('2001:db8::6'))).to.deep.equal([429]);
      expect(await statuses(archivero, 1, from('2001:db8:0:1::6'))).to.deep.equal([200]);
      // The proxy appended the last address; the client may have forged those before it.
      for (let i = 0; i < 5; i++) await archivero.get('/solicitudes', from(`198.51.100.${i}, 192.0.2.9`));
      expect(await statuses(archivero, 1, from('203.0.113.1, 192.0.2.9, 127.0.0.5'))).to.deep.equal([429]);
    });
  });

  it('ignore X-Forwarded-For when the peer is no trusted proxy', async () => {
    await using archivero = await setUp({
      running: ['gateway'],
      env: { RABBITMQ_URL: '', RATE_LIMITS: '2/1h' },
    });
    const all: number[] = [];
    for (let i = 0; i < 3; i++) all.push(...(await statuses(archivero, 1, from(`192.0.2.${i}`))));
    expect(all).to.deep.equal([200, 200, 429]);
  });

  it('count requests with an invalid token by their address', async () => {
    await using archivero = await setUp({
      running: ['gateway'],
      env: { RABBITMQ_URL: '', RATE_LIMITS: '3/1h', AUTH: 'jwt', JWT_SECRET: 's'.repeat(32) },
    });
    expect(await statuses(archivero, 4, { authorization: 'Bearer a.b.c' })).to.deep.equal([
      401, 401, 401, 429,
    ]);
    expect(await statuses(archivero, 1, {}, '/salud/viva')).to.deep.equal([200]);
  });

  it('count queries over a WebSocket like requests, by the subject of its token', async () => {
    const secret = 's'.repeat(32);
    await using archivero = await setUp({
      running: ['mserv2', 'gateway'],
      env: { RABBITMQ_URL: '', RATE_LIMITS: '6/1h', AUTH: 'jwt', JWT_SECRET: secret },
    });
    const tokenOf = (name: string) =>
      new SignJWT({ scope: 'archivos:leer' })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(name)
        .setIssuer('archivero')
        .setAudience('archivero')
        .setExpirationTime('1h')
        .sign(Buffer.from(secret));
    const token = await tokenOf('ana');
    using client = await openLive(archivero.url);
    client.ask({ token });
    for (const numero of [1, 2, 3]) {
      client.ask({ nombre: 'a', numero });
      expect(await client.next()).to.include({ numero, total: 0 });
    }
    for (const numero of [4, 5]) {
      client.ask({ nombre: 'a', numero });
      const answer = await client.next();
      expect(answer['numero']).to.equal(numero);
      expect(answer['problema']).to.include({ type: '/problemas/demasiadas-peticiones', status: 429 });
    }
    const as = async (name: string) => ({ authorization: `Bearer ${await tokenOf(name)}` });
    expect(await statuses(archivero, 1, await as('ana'))).to.deep.equal([429]);
    expect(await statuses(archivero, 1, await as('eva'))).to.deep.equal([200]);
  });

  it('are shared by gateways over one database', async () => {
    const postgres = await sharedPostgres();
    const url = await postgres.database();
    const env = { RABBITMQ_URL: '', LEDGER_URL: url, RATE_LIMIT_STORE: 'postgres', RATE_LIMITS: '4/1h' };
    await using one = await setUp({ running: ['gateway'], env });
    await using other = await setUp({ running: ['gateway'], env });
    expect(await statuses(one, 2, {}, '/')).to.deep.equal([200, 200]);
    expect(await statuses(other, 3, {}, '/')).to.deep.equal([200, 200, 429]);
    expect(await statuses(one, 1, {}, '/')).to.deep.equal([429]);
  });

  it('refuse addresses in IP_DENY, and those that are not in IP_ALLOW', async () => {
    await using archivero = await setUp({
      running: ['gateway'],
      env: {
        RABBITMQ_URL: '',
        TRUSTED_PROXIES: '127.0.0.1',
        IP_ALLOW: '127.0.0.0/8, 10.0.0.0/8 2001:db8::/32',
        IP_DENY: '10.1.0.0/16',
      },
    });
    for (const [address, status] of [
      ['10.2.3.4', 200],
      ['10.1.3.4', 403],
      ['::ffff:10.1.3.4', 403],
      ['11.0.0.1', 403],
      ['2001:db8::7', 200],
      ['2001:db9::7', 403],
      ['nonsense', 200],
    ] as const) {
      expect((await archivero.get('/', from(address))).status, address).to.equal(status);
    }
  });

  it('take scheme and host from trusted proxies only', async () => {
    const env = { RABBITMQ_URL: '', GATEWAY_ALLOWED_HOSTS: 'archivos.example.org' };
    const originIn = async (archivero: SetUp, host: string) => {
      const answer = await archivero.get('/v1/postman.json', {
        'x-forwarded-for': '192.0.2.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': host,
      });
      const { variable } = (await answer.json()) as { variable?: { value: string }[] };
      return [answer.status, variable?.[0]?.value, answer.headers.has('strict-transport-security')];
    };
    await using behind = await setUp({ running: ['gateway'], env: { ...env, TRUSTED_PROXIES: '127.0.0.1' } });
    expect(await originIn(behind, 'archivos.example.org')).to.deep.equal([
      200,
      'https://archivos.example.org/v1',
      true,
    ]);
    expect((await originIn(behind, 'evil.example'))[0]).to.equal(421);
    await using open = await setUp({ running: ['gateway'], env });
    for (const host of ['archivos.example.org', 'evil.example']) {
      expect(await originIn(open, host)).to.deep.equal([200, `${open.url}/v1`, false]);
    }
  });

  it('answer 503 at once beyond MAX_REQUESTS, and serve again when requests have ended', async () => {
    await using archivero = await setUp({
      running: ['gateway'],
      env: { RABBITMQ_URL: '', MAX_REQUESTS: '3' },
    });
    const disconnect = new AbortController();
    const waiting = [1, 2, 3].map(() =>
      fetch(`${archivero.url}/listar_archivos`, {
        headers: { prefer: 'respond-async, wait=50' },
        signal: disconnect.signal,
      }).catch(() => undefined),
    );
    await eventually(async () => (await archivero.get('/solicitudes')).status === 503);
    const refused = await archivero.get('/listar_archivos');
    expect(await refused.json()).to.include({ type: '/problemas/gateway-saturado' });
    expect(refused.headers.get('retry-after')).to.equal('1');
    expect((await archivero.get('/salud/viva')).status).to.equal(200);
    disconnect.abort();
    await Promise.all(waiting);
    await eventually(async () => (await archivero.get('/solicitudes')).status === 200);
  });
});
