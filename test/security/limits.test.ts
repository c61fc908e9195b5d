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
    house: SetUp,
    times: number,
    headers: Record<string, string>,
    path = '/solicitudes',
  ) => {
    const all: number[] = [];
    for (let i = 0; i < times; i++) all.push((await house.get(path, headers)).status);
    return all;
  };

  it('of what a caller may hold: half of all places, so that others find one', async () => {
    const env = { TRUSTED_PROXIES: '127.0.0.0/8', MAX_WAITERS: '2' };
    await using house = await setUp({ running: ['gateway'], env });
    const where = await accepted(house, '/listar_archivos');
    const wait = (address: string, seconds: number) =>
      house.get(where, { ...from(address), prefer: `wait=${seconds}` });
    const first = wait('192.0.2.1', 50);
    await eventually(async () => (await wait('192.0.2.1', 1)).status === 429);
    const refused = await wait('192.0.2.1', 1);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect((await wait('192.0.2.2', 1)).status).to.equal(202);
    await fetch(house.url + where.replace('/respuesta', ''), { method: 'DELETE' });
    expect((await first).status).to.equal(410);
  });

  describe('of what a caller may spend', () => {
    let house: SetUp;
    before(async () => {
      house = await setUp({
        running: ['gateway'],
        env: {
          RABBITMQ_URL: '',
          TRUSTED_PROXIES: '127.0.0.0/8',
          RATE_LIMITS: '5/1h, 8/2h, 1000/1d',
          RATE_LIMIT_COSTS: '/buscar_archivos=3',
        },
      });
    });
    after(() => house[Symbol.asyncDispose]());

    it('are told, and past them it is 429 for that caller only', async () => {
      const answer = await house.get('/solicitudes', from('192.0.2.1'));
      expect(answer.status).to.equal(200);
      expect(answer.headers.get('ratelimit-policy')).to.equal(
        '"1h";q=5;w=3600, "2h";q=8;w=7200, "1d";q=1000;w=86400',
      );
      expect(answer.headers.get('ratelimit')).to.match(
        /^"1h";r=4;t=3600, "2h";r=7;t=7200, "1d";r=999;t=86400$/,
      );
      expect(await statuses(house, 6, from('192.0.2.1'))).to.deep.equal([200, 200, 200, 200, 429, 429]);
      const refused = await house.get('/solicitudes', from('192.0.2.1'));
      expect(await refused.json()).to.include({ type: '/problemas/demasiadas-peticiones' });
      expect(Number(refused.headers.get('retry-after'))).to.be.within(3_500, 3_600);
      expect(refused.headers.get('ratelimit')).to.match(/^"1h";r=0;t=3\d\d\d$/);
      expect(await statuses(house, 5, from('192.0.2.2'))).to.deep.equal([200, 200, 200, 200, 200]);
    });

    it('are spent faster by what costs more, and not at all by asking whether it lives', async () => {
      const who = from('192.0.2.3');
      expect(await statuses(house, 9, who, '/salud/viva')).to.deep.equal(Array(9).fill(200));
      expect(await statuses(house, 2, who, '/v1/buscar_archivos')).to.deep.equal([202, 429]);
      const other = from('192.0.2.4');
      expect(await statuses(house, 2, other, '/Buscar_Archivos/'), 'as the router takes it').to.deep.equal([
        202, 429,
      ]);
      const named = { ...other, authorization: 'Bearer x' };
      expect(await statuses(house, 1, named, '/buscar_archivos'), 'a token where none counts').to.deep.equal([
        429,
      ]);
    });

    it('are one for all addresses of an IPv6 network, and not evaded by what a client says of itself', async () => {
      const addresses = [
        '2001:db8::1',
        '2001:DB8:0:0:ffff::2',
        '[2001:db8::3]:4711',
        '2001:db8:0:0:1:2:3:4',
        '2001:db8::5',
      ];
      for (const address of addresses) expect(await statuses(house, 1, from(address))).to.deep.equal([200]);
      expect(await statuses(house, 1, from('2001:db8::6'))).to.deep.equal([429]);
      expect(await statuses(house, 1, from('2001:db8:0:1::6'))).to.deep.equal([200]);
      // The proxy wrote the last one; what stands before it is the client's own invention.
      for (let i = 0; i < 5; i++) await house.get('/solicitudes', from(`198.51.100.${i}, 192.0.2.9`));
      expect(await statuses(house, 1, from('203.0.113.1, 192.0.2.9, 127.0.0.5'))).to.deep.equal([429]);
    });
  });

  it('do not believe a client who is no trusted proxy', async () => {
    await using house = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: '', RATE_LIMITS: '2/1h' } });
    const all: number[] = [];
    for (let i = 0; i < 3; i++) all.push(...(await statuses(house, 1, from(`192.0.2.${i}`))));
    expect(all).to.deep.equal([200, 200, 429]);
  });

  it('are charged to the address of those who bring tokens that are no good', async () => {
    await using house = await setUp({
      running: ['gateway'],
      env: { RABBITMQ_URL: '', RATE_LIMITS: '3/1h', AUTH: 'jwt', JWT_SECRET: 's'.repeat(32) },
    });
    expect(await statuses(house, 4, { authorization: 'Bearer a.b.c' })).to.deep.equal([401, 401, 401, 429]);
    expect(await statuses(house, 1, {}, '/salud/viva')).to.deep.equal([200]);
  });

  it('are spent by queries over a WebSocket as by requests, by whoever its token names', async () => {
    const secret = 's'.repeat(32);
    await using house = await setUp({
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
    using client = await openLive(house.url);
    client.ask({ token });
    for (const numero of [1, 2, 3]) {
      client.ask({ nombre: 'a', numero });
      expect(await client.next()).to.include({ numero, total: 0 });
    }
    for (const numero of [4, 5]) {
      client.ask({ nombre: 'a', numero });
      const told = await client.next();
      expect(told['numero']).to.equal(numero);
      expect(told['problema']).to.include({ type: '/problemas/demasiadas-peticiones', status: 429 });
    }
    const as = async (name: string) => ({ authorization: `Bearer ${await tokenOf(name)}` });
    expect(await statuses(house, 1, await as('ana'))).to.deep.equal([429]);
    expect(await statuses(house, 1, await as('eva'))).to.deep.equal([200]);
  });

  it('are counted together by gateways of one database', async () => {
    const postgres = await sharedPostgres();
    const url = await postgres.database();
    const env = { RABBITMQ_URL: '', LEDGER_URL: url, RATE_LIMIT_STORE: 'postgres', RATE_LIMITS: '4/1h' };
    await using one = await setUp({ running: ['gateway'], env });
    await using other = await setUp({ running: ['gateway'], env });
    expect(await statuses(one, 2, {}, '/')).to.deep.equal([200, 200]);
    expect(await statuses(other, 3, {}, '/')).to.deep.equal([200, 200, 429]);
    expect(await statuses(one, 1, {}, '/')).to.deep.equal([429]);
  });

  it('keep out networks, and let in only some', async () => {
    await using house = await setUp({
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
      expect((await house.get('/', from(address))).status, address).to.equal(status);
    }
  });

  it('take from proxies that are trusted, and from nobody else, what clients have asked them for', async () => {
    const env = { RABBITMQ_URL: '', GATEWAY_ALLOWED_HOSTS: 'archivos.example.org' };
    const asked = async (house: SetUp, host: string) => {
      const answer = await house.get('/v1/postman.json', {
        'x-forwarded-for': '192.0.2.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': host,
      });
      const { variable } = (await answer.json()) as { variable?: { value: string }[] };
      return [answer.status, variable?.[0]?.value, answer.headers.has('strict-transport-security')];
    };
    await using behind = await setUp({ running: ['gateway'], env: { ...env, TRUSTED_PROXIES: '127.0.0.1' } });
    expect(await asked(behind, 'archivos.example.org')).to.deep.equal([
      200,
      'https://archivos.example.org/v1',
      true,
    ]);
    expect((await asked(behind, 'evil.example'))[0]).to.equal(421);
    await using open = await setUp({ running: ['gateway'], env });
    for (const host of ['archivos.example.org', 'evil.example']) {
      expect(await asked(open, host)).to.deep.equal([200, `${open.url}/v1`, false]);
    }
  });

  it('refuse at once what is too much at the same time, and serve again when there is room', async () => {
    await using house = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: '', MAX_REQUESTS: '3' } });
    const leaving = new AbortController();
    const waiting = [1, 2, 3].map(() =>
      fetch(`${house.url}/listar_archivos`, {
        headers: { prefer: 'respond-async, wait=50' },
        signal: leaving.signal,
      }).catch(() => undefined),
    );
    await eventually(async () => (await house.get('/solicitudes')).status === 503);
    const refused = await house.get('/listar_archivos');
    expect(await refused.json()).to.include({ type: '/problemas/gateway-saturado' });
    expect(refused.headers.get('retry-after')).to.equal('1');
    expect((await house.get('/salud/viva')).status).to.equal(200);
    leaving.abort();
    await Promise.all(waiting);
    await eventually(async () => (await house.get('/solicitudes')).status === 200);
  });
});
