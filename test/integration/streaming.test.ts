import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { bigFolder } from '../support/files/big-folder.ts';
import { eventually } from '../support/processes/eventually.ts';
import type { LogLine } from '../support/processes/processes.ts';
import { type ProcessName, type SetUp, setUp } from '../support/processes/set-up.ts';

const entryCount = 200_000;
/** The gRPC messages that carry this many entries. */
const messageCount = entryCount / 256;

type Line = Record<string, unknown>;

const lines = (text: string): Line[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

/** Matches the line that mserv1 logs when a listing stream has ended. */
const isListingEnd = ({ msg, method }: LogLine): boolean =>
  msg === 'call' && method === 'archivos.v1.ListadoService/RecorrerArchivos';

const isSearchEnd = ({ msg, method }: LogLine): boolean =>
  msg === 'call' && method === 'archivos.v1.BusquedaService/TransmitirBusqueda';

/** Sends a request over a socket that reads only when the test does. */
async function request(it: SetUp, path: string): Promise<Socket> {
  const { port } = new URL(it.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'connect');
  return socket;
}

function peakBytes(it: SetUp, name: ProcessName): number {
  const status = readFileSync(`/proc/${it.processes.get(name)?.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Resets the peak, so that `peakBytes` counts from now on. */
function resetPeak(it: SetUp, name: ProcessName): void {
  writeFileSync(`/proc/${it.processes.get(name)?.pid}/clear_refs`, '5');
}

describe('An NDJSON answer', () => {
  describe('of a folder of 200,000 entries', () => {
    const cleanUp: (() => void | PromiseLike<void>)[] = [];
    let running: SetUp;
    const streamsEnded = (): LogLine[] => running.processes.get('mserv1')?.lines.filter(isListingEnd) ?? [];

    before(async () => {
      const folder = bigFolder(entryCount);
      cleanUp.push(() => folder[Symbol.dispose]());
      mkdirSync(folder.join('otra'));
      // With a small heap V8 collects garbage early, so that the peak shows the data really held.
      const env = {
        FILES_ROOT: folder.path,
        NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=48',
      };
      running = await setUp({ env, running: ['mserv1', 'gateway'] });
      cleanUp.push(() => running[Symbol.asyncDispose]());
    });
    after(async () => {
      for (const undo of cleanUp.reverse()) await undo();
    });

    it('begins before the walk ends, and takes less than 30 MiB of memory', async function () {
      if (process.platform !== 'linux') this.skip();
      const names = ['gateway', 'mserv1'] as const;
      // The first request loads all code.
      await (await running.get('/listar_archivos?formato=ndjson&tipo=carpeta')).text();
      const idle = names.map((name) => peakBytes(running, name));
      const before = streamsEnded().length;

      const answer = await running.get('/listar_archivos', { accept: 'application/x-ndjson' });
      expect(answer.status).to.equal(200);
      expect(answer.headers.get('content-type')).to.match(/^application\/x-ndjson/);
      expect(answer.headers.get('servido-por')).to.equal('grpc');
      expect(answer.headers.get('etag')).to.equal(null);
      expect(answer.headers.get('vary')).to.include('Accept');
      const reader = (answer.body ?? new ReadableStream()).getReader();
      const first = await reader.read();
      const start = Buffer.from(first.value ?? []);
      expect(JSON.parse(start.subarray(0, start.indexOf('\n')).toString())).to.include.keys('nombre', 'ruta');
      // The client does not read on, so the walk cannot have ended.
      expect(streamsEnded()).to.have.lengthOf(before);

      let rest = start.toString('latin1');
      let count = 0;
      let last = '';
      const seen = new Set<string>();
      for (;;) {
        const complete = rest.split('\n');
        rest = complete.pop() ?? '';
        for (const line of complete) {
          const number = /"nombre":"informe n..mero (\d{6})\.txt"/.exec(line)?.[1];
          if (number !== undefined) seen.add(number);
          count++;
          last = line;
        }
        const { done, value } = await reader.read();
        if (done) break;
        rest += Buffer.from(value).toString('latin1');
      }
      expect(rest).to.equal('');
      expect(count).to.equal(entryCount + 2);
      expect(seen.size).to.equal(entryCount);
      expect(JSON.parse(last)).to.deep.equal({ fin: true, completo: true, total: entryCount + 1 });

      const grown = names.map((name, index) => peakBytes(running, name) - (idle[index] ?? 0));
      // The text alone is 30 MB; decoded entries take more than 100 MB.
      for (const bytes of grown) expect(bytes).to.be.below(30 * 2 ** 20);
    });

    it('stops its walk when the client disconnects', async () => {
      const before = streamsEnded().length;
      const socket = await request(running, '/listar_archivos?formato=ndjson');
      await once(socket, 'readable');
      socket.destroy();
      await eventually(() => streamsEnded().length === before + 1);
      const line = streamsEnded().at(-1);
      expect(line).to.include({ code: 'CANCELLED' });
      expect(line?.['messages']).to.be.below(messageCount * 0.9);
    });

    it('waits for a client that reads slowly, and arrives complete', async () => {
      const before = streamsEnded().length;
      const socket = await request(running, '/listar_archivos?formato=ndjson');
      await once(socket, 'readable');
      // Another client reads a whole answer while this walk is held.
      await (await running.get('/listar_archivos?formato=ndjson')).text();
      await eventually(() => streamsEnded().length > before);
      expect(streamsEnded()).to.have.lengthOf(before + 1);
      let end = '';
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        end = (end + chunk.toString('latin1')).slice(-200);
      }
      expect(end).to.include(`{"fin":true,"completo":true,"total":${entryCount + 1}}`);
    });

    it('is cut after STREAM_STALL_MS when its client does not read', async () => {
      await running.end('gateway', 'SIGTERM');
      await running.start('gateway', { STREAM_STALL_MS: '500' });
      const before = streamsEnded().length;
      const sockets = await Promise.all(
        Array.from({ length: 4 }, () => request(running, '/listar_archivos?formato=ndjson')),
      );
      // Other requests are answered meanwhile.
      expect((await running.get('/listar_archivos?ruta=otra')).status).to.equal(200);
      await eventually(() => streamsEnded().length === before + sockets.length);
      for (const line of streamsEnded().slice(before)) {
        expect(line).to.include({ code: 'CANCELLED' });
        expect(line['messages']).to.be.below(messageCount * 0.9);
      }
      // The bytes already sent arrive without the last line.
      for (const socket of sockets) {
        let end = '';
        socket.on('data', (chunk: Buffer) => {
          end = (end + chunk.toString('latin1')).slice(-200);
        });
        await once(socket, 'close');
        expect(end).to.not.include('"fin"');
        expect(end).to.not.match(/\r\n0\r\n\r\n$/);
      }
      await running.end('gateway', 'SIGTERM');
      await running.start('gateway');
    });

    it('contains every match of a search, and takes less than 30 MiB of memory', async function () {
      if (process.platform !== 'linux') this.skip();
      const mserv2 = await running.start('mserv2');
      await mserv2.waitFor(({ estado }) => estado === 'listo');
      const path = '/buscar_archivos?nombre=INFORME&formato=ndjson';
      await eventually(async () => (await running.get(`${path}&tipo=otro`)).status === 200);
      const names = ['gateway', 'mserv2'] as const;
      for (const name of names) resetPeak(running, name);
      const idle = names.map((name) => peakBytes(running, name));
      let count = 0;
      let end = '';
      for await (const chunk of (await running.get(path)).body ?? []) {
        const text = Buffer.from(chunk).toString('latin1');
        count += text.split('\n').length - 1;
        end = (end + text).slice(-200);
      }
      expect(count).to.equal(entryCount + 1);
      expect(end).to.include(`{"fin":true,"completo":true,"total":${entryCount}`);
      const grown = names.map((name, index) => peakBytes(running, name) - (idle[index] ?? 0));
      for (const bytes of grown) expect(bytes).to.be.below(30 * 2 ** 20);

      // A disconnect ends the search as well.
      const socket = await request(running, path);
      await once(socket, 'readable');
      socket.destroy();
      await eventually(() => mserv2.lines.some((line) => isSearchEnd(line) && line['code'] === 'CANCELLED'));
      await running.end('mserv2', 'SIGTERM');
    });

    it('ends with an error when the service dies', async () => {
      const answer = await running.get('/listar_archivos?formato=ndjson');
      const reader = (answer.body ?? new ReadableStream()).getReader();
      await reader.read();
      await running.end('mserv1');
      const cut = (async () => {
        while (!(await reader.read()).done);
      })();
      expect(await cut.catch((error: unknown) => error)).to.be.instanceOf(TypeError);
      await running.start('mserv1');
      await eventually(
        async () => (await running.get('/listar_archivos?formato=ndjson&tipo=otro')).status === 200,
      );
    });
  });

  it('contains the entries of the JSON pages for every order, depth and search', async () => {
    await using it = await setUp();
    for (const path of ['a/b/c', '.oculta/x']) mkdirSync(join(it.root, path), { recursive: true });
    writeFileSync(join(it.root, 'a', 'ñandú "1".txt'), 'xyz');
    writeFileSync(join(it.root, 'a', 'b', 'nuevo\nlínea.txt'), '');
    const breaks = 'líneas \u0085 \u2028 \u2029';
    writeFileSync(join(it.root, 'a', 'b', breaks), '');
    const queries = [
      '',
      '?recursivo=1&orden=-bytes',
      '?recursivo=1&orden=carpetas',
      '?profundidad=2&orden=natural&ocultos=1',
      '?ruta=a/b&orden=nombre',
    ];
    for (const query of queries) {
      const page = (await (await it.get(`/v1/listar_archivos${query}`)).json()) as { archivos: Line[] };
      const streamed = lines(
        await (await it.get(`/v1/listar_archivos${query}`, { accept: 'application/x-ndjson' })).text(),
      );
      expect(streamed.at(-1)).to.deep.equal({ fin: true, completo: true, total: page.archivos.length });
      if (query.includes('orden')) expect(streamed.slice(0, -1)).to.deep.equal(page.archivos);
      else expect(streamed.slice(0, -1)).to.have.deep.members(page.archivos);
    }
    // A JSON body is read as a whole: its strings keep these characters unescaped.
    expect(await (await it.get('/listar_archivos?ruta=a/b')).text()).to.include(breaks);
    const accept = 'application/x-ndjson';
    expect(await (await it.get('/listar_archivos?ruta=a/b', { accept })).text()).to.not.match(
      /[\u0085\u2028\u2029]/,
    );
    let found: Line[] = [];
    // New files reach the index a moment later.
    await eventually(async () => {
      found = lines(await (await it.get('/buscar_archivos?nombre=txt&formato=ndjson')).text());
      return found.length === 3;
    });
    expect(found.slice(0, -1).map(({ ruta }) => ruta)).to.have.members([
      'a/ñandú "1".txt',
      'a/b/nuevo\nlínea.txt',
    ]);
    expect(found.at(-1)).to.include({ fin: true, completo: true, total: 2 });
  });

  it('refuses parameters that a stream cannot have, and reports errors as problems', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    const cases: readonly [string, number, string?][] = [
      ['/listar_archivos?formato=ndjson&limite=5', 400, 'limite'],
      ['/listar_archivos?formato=ndjson&cursor=x', 400, 'cursor'],
      ['/listar_archivos?formato=ndjson&ruta=..', 400, 'ruta'],
      ['/listar_archivos?formato=ndjson&ruta=nada', 404],
      ['/listar_archivos?formato=ndjson&profundidad=0', 400, 'profundidad'],
    ];
    for (const [path, status, parametro] of cases) {
      const answer = await it.get(path);
      expect(answer.status, path).to.equal(status);
      expect(answer.headers.get('content-type')).to.match(/^application\/problem\+json/);
      const { errores } = (await answer.json()) as { errores?: { parametro: string }[] };
      expect(errores?.map((error) => error.parametro)).to.deep.equal(parametro && [parametro]);
    }
    const later = await it.get('/listar_archivos', {
      accept: 'application/x-ndjson',
      prefer: 'respond-async',
    });
    expect(later.status).to.equal(400);
  });

  it('is 503 and never queued while the service is away, also for HEAD', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    const head = () => fetch(`${it.url}/listar_archivos?formato=ndjson`, { method: 'HEAD' });
    const reachableHead = await head();
    expect(reachableHead.status).to.equal(200);
    expect(reachableHead.headers.get('content-type')).to.match(/^application\/x-ndjson/);
    await it.end('mserv1');
    for (const path of ['/listar_archivos?formato=ndjson', '/buscar_archivos?formato=ndjson&nombre=x']) {
      const answer = await it.get(path);
      expect(answer.status).to.equal(503);
      expect(answer.headers.get('retry-after')).to.equal('1');
      expect(answer.headers.get('proxy-status')).to.match(
        /^archivero; error=\w+; next-hop="127\.0\.0\.1:\d+"$/,
      );
      expect(await answer.json()).to.include({ type: '/problemas/servicio-no-disponible' });
    }
    expect((await head()).status).to.equal(503);
  });
});
