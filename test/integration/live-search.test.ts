import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Message, openLive } from '../support/clients/live-client.ts';
import { eventually } from '../support/processes/eventually.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';

const names = (message: Message): unknown[] =>
  (message['archivos'] as { nombre: unknown }[]).map(({ nombre }) => nombre);

/** Waits until the index holds `entries` entries. */
async function indexed(it: SetUp, entries: number): Promise<void> {
  await eventually(async () => {
    const answer = await it.get('/buscar_archivos?limite=1');
    return answer.status === 200 && ((await answer.json()) as { total: number }).total === entries;
  });
}

async function withFiles(it: SetUp): Promise<void> {
  mkdirSync(join(it.root, 'año'));
  for (const name of ['informe.txt', 'información.md', 'otro.txt', 'año/infarto.txt']) {
    writeFileSync(join(it.root, name), 'x');
  }
  await indexed(it, 5);
}

describe('Search as you type', () => {
  it('answers each query with its number and the body of the GET', async () => {
    await using it = await setUp();
    await withFiles(it);
    using client = await openLive(it.url);
    client.ask({ numero: 41, nombre: 'inf', tipo: ['archivo'] });
    const answer = await client.next();
    expect(answer).to.include({ numero: 41, total: 3, siguiente: null, completo: true });
    expect(names(answer)).to.have.members(['informe.txt', 'información.md', 'infarto.txt']);
    const { numero: _numero, ...body } = answer;
    expect(body).to.deep.equal(await (await it.get('/buscar_archivos?nombre=inf&tipo=archivo')).json());

    client.ask({ nombre: 'informacion' });
    expect(await client.next()).to.include({ numero: 42, total: 1 });
    client.ask({ nombre: 'inf', ruta: 'año', limite: 1 });
    expect(names(await client.next())).to.deep.equal(['infarto.txt']);
  });

  it('answers the last of 60 rapid queries, and each of them at most once, in order', async () => {
    await using it = await setUp();
    await withFiles(it);
    using client = await openLive(it.url, { path: '/v1/buscar_archivos/en_vivo' });
    for (let numero = 1; numero <= 60; numero++) client.ask({ numero, nombre: 'inf' });
    let answer: Message;
    do answer = await client.next();
    while (answer['numero'] !== 60);
    const numbers = client.messages.map(({ numero }) => Number(numero));
    expect(numbers).to.deep.equal(numbers.toSorted((a, b) => a - b));
    expect(new Set(numbers).size).to.equal(numbers.length);
  });

  it('answers a wrong query with a problem, and stays open', async () => {
    await using it = await setUp();
    await withFiles(it);
    using client = await openLive(it.url, { headers: { 'accept-language': 'en' } });
    const problemTo = async (query: object): Promise<Message> => {
      client.ask(query);
      const { numero, problema } = await client.next();
      return { numero, ...(problema as object) };
    };
    expect(await problemTo({ numero: 1, limite: 0, otro: 'x' })).to.include({
      numero: 1,
      type: '/problemas/parametros-no-validos',
      title: 'Invalid parameters',
      status: 400,
      instance: '/buscar_archivos/en_vivo',
    });
    expect(await problemTo({ numero: 'x' })).to.include({ numero: null, status: 400 });
    expect(await problemTo([])).to.include({ numero: null, type: '/problemas/mensaje-no-valido' });
    client.socket.send('{');
    expect((await client.next())['problema']).to.include({ type: '/problemas/mensaje-no-valido' });
    // These errors come from the service.
    expect(await problemTo({ numero: 2, nombre: '[z-a]', modo: 'glob' })).to.include({
      numero: 2,
      type: '/problemas/patron-no-valido',
      status: 400,
    });
    expect(await problemTo({ numero: 3, ruta: 'nada' })).to.include({
      numero: 3,
      type: '/problemas/ruta-no-existe',
      status: 404,
      instance: '/buscar_archivos?ruta=nada',
    });
    client.ask({ numero: 4, nombre: 'otro' });
    expect(names(await client.next())).to.deep.equal(['otro.txt']);
    // After a burst of wrong queries, the last query gets its answer.
    for (let numero = 5; numero < 20; numero++) client.ask({ numero, ruta: 'nada' });
    client.ask({ numero: 20, nombre: 'otro' });
    let answer: Message;
    do answer = await client.next();
    while (answer['numero'] !== 20);
    expect(names(answer)).to.deep.equal(['otro.txt']);
  });

  it('finds a name with brackets at each letter of it, without a problem', async () => {
    await using it = await setUp();
    const name = 'movie [1080p].mkv';
    writeFileSync(join(it.root, name), 'x');
    await indexed(it, 1);
    using client = await openLive(it.url);
    for (let length = 1; length <= name.length; length++) {
      client.ask({ numero: length, nombre: name.slice(0, length) });
      const answer = await client.next();
      expect(answer, name.slice(0, length)).to.include({ numero: length, total: 1 });
      expect(names(answer)).to.deep.equal([name]);
    }
  });

  it('opens only for allowed Origins and Hosts', async () => {
    await using it = await setUp({
      env: { GATEWAY_CORS_ORIGINS: 'https://app.example.org', GATEWAY_ALLOWED_HOSTS: 'archivos.example.org' },
      running: ['gateway'],
    });
    const { host } = new URL(it.url);
    const attempt = async (headers: Record<string, string>, path?: string): Promise<string> => {
      const opening = openLive(it.url, { headers, ...(path !== undefined && { path }) });
      const client = await opening.catch((error: unknown) => error);
      if (client instanceof Error) return client.message;
      (await opening)[Symbol.dispose]();
      return 'open';
    };
    const cases: readonly [Record<string, string>, string][] = [
      [{}, 'open'],
      [{ origin: `http://${host}` }, 'open'],
      [{ origin: 'https://app.example.org' }, 'open'],
      [{ origin: 'https://archivos.example.org', host: 'archivos.example.org' }, 'open'],
      [{ origin: 'https://archivos.example.org', host: 'archivos.example.org:443' }, 'open'],
      [{ origin: 'https://app.example.org.evil.example' }, 'HTTP 403'],
      [{ origin: 'http://app.example.org' }, 'HTTP 403'],
      [{ origin: 'http://127.0.0.1:1' }, 'HTTP 403'],
      [{ origin: 'null' }, 'HTTP 403'],
      [{ origin: 'file://' }, 'HTTP 403'],
      [{ origin: 'no es una URL' }, 'HTTP 403'],
      [{ host: 'evil.example' }, 'HTTP 421'],
    ];
    for (const [headers, expected] of cases) {
      expect(await attempt(headers), JSON.stringify(headers)).to.equal(expected);
    }
    expect(await attempt({}, '/listar_archivos/en_vivo')).to.equal('HTTP 404');
    expect(await attempt({}, '/nada')).to.equal('HTTP 404');

    const plain = await it.get('/buscar_archivos/en_vivo');
    expect(plain.status).to.equal(426);
    expect(plain.headers.get('upgrade')).to.equal('websocket');
    expect(plain.headers.get('connection')).to.equal('upgrade');
    expect(await plain.json()).to.include({ type: '/problemas/requiere-websocket' });
    const gateway = it.processes.get('gateway');
    await gateway?.waitFor(({ msg, status }) => msg === 'request' && status === 101);
    await gateway?.waitFor(({ msg, status }) => msg === 'request' && status === 403);
  });

  it('closes with 1013 while the service is away, and opens again when it is back', async () => {
    await using it = await setUp();
    await withFiles(it);
    using during = await openLive(it.url);
    during.ask({ nombre: 'inf' });
    await during.next();
    await it.end('mserv2');
    expect(await during.closed).to.equal(1013);

    using after = await openLive(it.url);
    after.ask({ nombre: 'inf' });
    expect(await after.closed).to.equal(1013);

    await it.start('mserv2');
    await indexed(it, 5);
    using reopened = await openLive(it.url);
    reopened.ask({ nombre: 'inf' });
    expect(await reopened.next()).to.include({ total: 3 });
  });

  it('does not delay the stop of mserv2 or of the gateway', async () => {
    await using it = await setUp();
    await withFiles(it);
    using client = await openLive(it.url);
    client.ask({ nombre: 'inf' });
    await client.next();
    // mserv2 must end on its own, before its grace period is over.
    await it.end('mserv2', 'SIGTERM');
    expect(await client.closed).to.equal(1013);
    await it.start('mserv2');
    await indexed(it, 5);
    using other = await openLive(it.url);
    other.ask({ nombre: 'inf' });
    await other.next();
    await it.end('gateway', 'SIGTERM');
    expect(await other.closed).to.equal(1001);
  });

  describe('with a hostile client', () => {
    it('closes after a long message, a binary message or a flood, and serves other clients', async () => {
      await using it = await setUp();
      await withFiles(it);
      using otherClient = await openLive(it.url);
      const attacks: readonly [(client: Awaited<ReturnType<typeof openLive>>) => void, number][] = [
        [({ socket }) => socket.send('x'.repeat(64 * 1024 + 1)), 1009],
        [({ socket }) => socket.send(Buffer.from('{}')), 1003],
        [({ ask }) => Array.from({ length: 500 }, () => ask({ nombre: 'inf' })), 1008],
        [({ socket }) => Array.from({ length: 500 }, () => socket.send('{')), 1008],
      ];
      for (const [attack, code] of attacks) {
        using client = await openLive(it.url);
        attack(client);
        expect(await client.closed).to.equal(code);
        otherClient.ask({ nombre: 'otro' });
        expect(names(await otherClient.next())).to.deep.equal(['otro.txt']);
      }
    });

    it('closes a client that never reads, and serves other clients', async () => {
      await using it = await setUp({ env: { STREAM_STALL_MS: '500' } });
      // One answer of 15 MB exceeds the socket buffers between client and gateway.
      const folders = Array.from({ length: 4 }, (_, level) => `${level}`.repeat(250));
      mkdirSync(join(it.root, ...folders), { recursive: true });
      for (let i = 0; i < 10_000; i++) {
        writeFileSync(join(it.root, ...folders, `${'x'.repeat(240)} ${i}`), '');
      }
      await indexed(it, 10_004);
      using otherClient = await openLive(it.url);
      using client = await openLive(it.url);
      client.socket.pause();
      const gateway = it.processes.get('gateway');
      client.ask({ limite: 10_000 });
      await gateway?.waitFor(({ msg, status }) => msg === 'request' && status === 101);
      otherClient.ask({ limite: 1 });
      expect(await otherClient.next()).to.include({ total: 10_004 });
      client.socket.resume();
      expect(await client.closed).to.equal(1006);
    });
  });

  it('refuses invalid handshakes and frames, and the gateway goes on', async () => {
    await using it = await setUp({ running: ['gateway'] });
    const { port } = new URL(it.url);
    const exchange = async (text: string): Promise<string> => {
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(text);
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(socket, 'close');
      return Buffer.concat(chunks).toString('latin1');
    };
    // An upgrade to another protocol is ignored, and the request is answered.
    const h2c = 'Connection: upgrade, close\r\nUpgrade: h2c\r\n\r\n';
    expect(await exchange(`GET /salud/viva HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${h2c}`)).to.match(
      /^HTTP\/1\.1 200 /,
    );
    const head = `GET /buscar_archivos/en_vivo HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    expect(await exchange(`${head}\r\n`)).to.match(/^HTTP\/1\.1 400 /);
    expect(await exchange(`${head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n`)).to.match(
      /^HTTP\/1\.1 400 /,
    );
    expect(await exchange(`${head}${key}Sec-WebSocket-Version: 1\r\n\r\n`)).to.match(/^HTTP\/1\.1 4\d\d /);
    // Noise after the handshake is a protocol error and ends the connection.
    expect(await exchange(`${head}${key}Sec-WebSocket-Version: 13\r\n\r\n\xff\xff\xff\xff\xff\xff`)).to.match(
      /^HTTP\/1\.1 101 /,
    );
    expect((await it.get('/salud/viva')).status).to.equal(200);
  });
});
