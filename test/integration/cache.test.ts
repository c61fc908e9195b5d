import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { expect } from 'chai';
import { SignJWT } from 'jose';
import {
  ListadoServiceDefinition,
  type VigilarCambiosResponse,
} from '../../proto/gen/archivos/v1/listado.ts';
import { untilKnown } from '../support/clients/freshness.ts';
import { type GrpcClient, grpcClient } from '../support/clients/grpc-client.ts';
import { accepted, answerAt, identityOf } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import type { Proc } from '../support/processes/processes.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';
import { startTcpProxy } from '../support/servers/tcp-proxy.ts';

type Headers = Readonly<Record<string, string>>;

/** Returns the response with its body still coded; `fetch` would decode it. */
async function raw(it: SetUp, path: string, headers: Headers = {}) {
  const [answer] = (await once(get(it.url + path, { headers }), 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
}

async function servedBy(it: SetUp, path: string, headers: Headers = {}): Promise<string | null> {
  const answer = await it.get(path, headers);
  await answer.arrayBuffer();
  return answer.headers.get('servido-por');
}

/** Repeats the request until the cache answers it. */
async function cached(it: SetUp, path: string): Promise<void> {
  await eventually(async () => (await servedBy(it, path)) === 'cache');
}

async function names(answer: Promise<Response>): Promise<string[]> {
  return (await (await answer).json()) as string[];
}

/** Waits until the listing of `a` matches the disk; fails when the cache serves an older one for too long. */
async function listedSoon(it: SetUp, headers: Headers = {}): Promise<void> {
  const wanted = readdirSync(join(it.root, 'a')).sort();
  const end = await untilKnown(async () => {
    const answer = await it.get(listing, headers);
    const body: unknown = await answer.json();
    if (answer.status !== 200) return undefined;
    const knows = JSON.stringify(body) === JSON.stringify(wanted);
    return { fromCache: answer.headers.get('servido-por') === 'cache', knows };
  });
  expect(end).to.equal('known');
}

const listing = '/listar_archivos?ruta=a&formato=nombres';

describe('The response cache', () => {
  const path = listing;

  it('serves the status, headers and bytes of a direct call and of the queue from the third request on', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    for (let n = 0; n < 40; n++) writeFileSync(join(it.root, `fichero ${n}`), 'x');
    for (const target of [
      '/listar_archivos',
      '/v1/listar_archivos?limite=7&orden=-natural',
      '/listar_archivos?formato=nombres&limite=2',
    ]) {
      const calls = [await it.get(target), await it.get(target)];
      await cached(it, target);
      const fromCache = await it.get(target);
      expect(fromCache.headers.get('servido-por')).to.equal('cache');
      const answerPath = await accepted(it, target, { prefer: 'respond-async' });
      const identities = await Promise.all(
        [...calls, fromCache, await answerAt(it, answerPath)].map(identityOf),
      );
      for (const identity of identities) expect(identity).to.deep.equal(identities[0]);
    }
  });

  it('gives each content coding its own ETag, and answers 304 to any of them', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    for (let n = 0; n < 40; n++) writeFileSync(join(it.root, `fichero ${n}`), 'x');
    const target = '/listar_archivos';
    await cached(it, target);
    const plain = await raw(it, target);
    const gzip = await raw(it, target, { 'accept-encoding': 'gzip' });
    const br = await raw(it, target, { 'accept-encoding': 'gzip, br' });
    expect(gunzipSync(gzip.body)).to.deep.equal(plain.body);
    expect(brotliDecompressSync(br.body)).to.deep.equal(plain.body);
    const etags = [plain, gzip, br].map(({ headers }) => headers.etag);
    expect(new Set(etags)).to.have.property('size', 3);
    for (const each of [plain, gzip, br]) {
      expect(each.headers).to.include({ 'servido-por': 'cache', vary: 'Accept, Accept-Encoding' });
      const same = await raw(it, target, { 'if-none-match': each.headers.etag ?? '' });
      expect([same.status, same.headers.etag, same.body.length]).to.deep.equal([304, each.headers.etag, 0]);
    }
    // A direct call gives the ETag that the cache gave.
    const called = await raw(it, target, { 'cache-control': 'no-cache', 'accept-encoding': 'gzip' });
    expect(called.headers).to.include({ 'servido-por': 'grpc', etag: gzip.headers.etag });
    const head = await fetch(it.url + target, { method: 'HEAD', headers: { 'accept-encoding': 'identity' } });
    expect(head.headers.get('content-length')).to.equal(`${plain.body.length}`);
  });

  it('is bypassed by no-cache, max-age=0, no-store, respond-async and Idempotency-Key', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    mkdirSync(join(it.root, 'a'));
    await cached(it, path);
    for (const header of ['no-cache', 'max-age=0', 'no-store']) {
      expect(await servedBy(it, path, { 'cache-control': header }), header).to.equal('grpc');
    }
    expect(await servedBy(it, path, { pragma: 'no-cache' })).to.equal('grpc');
    expect(await servedBy(it, path, { 'cache-control': 'max-age=60' })).to.equal('cache');
    expect(await servedBy(it, path, { prefer: 'respond-async' })).to.equal('cola');
    expect(await servedBy(it, path, { 'idempotency-key': 'clave' })).to.equal('grpc');
    expect(await servedBy(it, '/listar_archivos?ruta=nada')).to.equal('grpc');
    const unseen = await it.get('/listar_archivos?ruta=a&recursivo=true');
    expect(unseen.headers.get('servido-por')).to.equal('grpc');
    expect(await servedBy(it, '/listar_archivos?ruta=a&recursivo=true')).to.equal('grpc');
    // A cached answer does not bypass the check of Host.
    expect((await raw(it, path, { host: 'evil.example' })).status).to.equal(421);
    const gateway = it.processes.get('gateway');
    const line = await gateway?.waitFor((each) => each['servidoPor'] === 'cache');
    expect(line).to.include({ msg: 'request', route: '/listar_archivos', status: 200, caller: 'anonimo' });
  });

  it('serves only authenticated requests, and keeps the CORS headers and Vary of the answer', async () => {
    const origin = 'https://app.example.org';
    const secret = 'x'.repeat(32);
    const env = { GATEWAY_CORS_ORIGINS: origin, AUTH: 'jwt', JWT_SECRET: secret };
    await using it = await setUp({ running: ['mserv1', 'gateway'], env });
    const token = await new SignJWT({ sub: 'ana', scope: 'archivos:leer' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('archivero')
      .setAudience('archivero')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(Buffer.from(secret));
    const authorization = `Bearer ${token}`;
    mkdirSync(join(it.root, 'a'));
    await eventually(async () => (await servedBy(it, path, { authorization })) === 'cache');
    expect((await it.get(path)).status).to.equal(401);
    const allowed = await it.get(path, { authorization, origin });
    expect(allowed.headers.get('servido-por')).to.equal('cache');
    expect(allowed.headers.get('access-control-allow-origin')).to.equal(origin);
    expect(allowed.headers.get('vary')?.split(', ')).to.have.members(['Origin', 'Accept', 'Accept-Encoding']);
  });

  it('stores nothing when its size is 0, and no answer larger than its size', async () => {
    await using it = await setUp({ running: ['mserv1'] });
    for (let n = 0; n < 100; n++) writeFileSync(join(it.root, `fichero ${n}`), 'x');
    mkdirSync(join(it.root, 'a'));
    await it.start('gateway', { GATEWAY_CACHE_BYTES: '0' });
    for (let n = 0; n < 5; n++) expect(await servedBy(it, path)).to.equal('grpc');
    await it.end('gateway', 'SIGTERM');
    await it.start('gateway', { GATEWAY_CACHE_BYTES: '4000' });
    await cached(it, path);
    for (let n = 0; n < 5; n++) expect(await servedBy(it, '/listar_archivos')).to.equal('grpc');
  });

  it('serves the old listing for a moment at most after each of 30 changes', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    mkdirSync(join(it.root, 'a'));
    for (let n = 0; n < 30; n++) {
      await cached(it, path);
      writeFileSync(join(it.root, 'a', `${n}`), '');
      await listedSoon(it);
      expect(await names(it.get(path, { 'cache-control': 'no-cache' }))).to.have.length(n + 1);
    }
  });

  it('serves the last known answer to stale-if-error while the service is away', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    mkdirSync(join(it.root, 'a'));
    const before = await identityOf(await it.get(path));
    await it.end('mserv1');
    writeFileSync(join(it.root, 'a/nuevo'), '');
    const stale = await it.get(path, { 'cache-control': 'stale-if-error=60' });
    expect(stale.headers.get('age')).to.match(/^\d+$/);
    expect(stale.headers.get('servido-por')).to.equal('cache');
    const answerPath = /<([^>]+)>; rel="latest-version"/.exec(stale.headers.get('link') ?? '')?.[1] ?? '';
    expect(await identityOf(stale)).to.deep.equal({ ...before, link: stale.headers.get('link') });
    const head = await fetch(it.url + path, {
      method: 'HEAD',
      headers: { 'cache-control': 'stale-if-error=60' },
    });
    expect([head.status, head.headers.get('link')]).to.deep.equal([200, null]);
    expect((await it.get(path)).status).to.equal(202);
    expect((await it.get(path, { 'cache-control': 'stale-if-error=0' })).status).to.equal(202);
    const other = await it.get('/listar_archivos', { 'cache-control': 'stale-if-error=60' });
    expect(other.status).to.equal(202);
    await it.start('mserv1');
    expect(await (await answerAt(it, answerPath)).json()).to.deep.equal(['nuevo']);
  });

  it('serves the last known answer to stale-if-error when the ledger is full', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'], env: { LEDGER_MAX_ROWS: '1' } });
    mkdirSync(join(it.root, 'a'));
    await it.get(path);
    await it.end('mserv1');
    await accepted(it, path);
    expect((await it.get(path)).status).to.equal(503);
    expect((await it.get(path, { 'cache-control': 'stale-if-error=60' })).status).to.equal(200);
  });

  describe('after a failure of the change feed', () => {
    it('serves nothing while mserv1 is frozen, and the current listing once mserv1 runs again', async () => {
      await using it = await setUp({ running: ['mserv1', 'gateway'] });
      mkdirSync(join(it.root, 'a'));
      await cached(it, path);
      it.processes.get('mserv1')?.pause();
      writeFileSync(join(it.root, 'a/nuevo'), '');
      const end = await untilKnown(async () => {
        const by = await servedBy(it, path);
        return { fromCache: by === 'cache', knows: by === 'cola' };
      });
      expect(end).to.equal('known');
      it.processes.get('mserv1')?.resume();
      await listedSoon(it);
      await cached(it, path);
      expect(await names(it.get(path))).to.deep.equal(['nuevo']);
    });

    it('serves nothing stored before the gateway was frozen, although an old heartbeat waits in its socket', async () => {
      await using it = await setUp({ running: ['mserv1'] });
      mkdirSync(join(it.root, 'a'));
      const { port } = it.processes.get('mserv1') as Proc;
      const proxy = await startTcpProxy(port);
      const gateway = await it.start('gateway', { MSERV1_URL: `127.0.0.1:${proxy.port}` });
      try {
        await cached(it, path);
        using heartbeats = new Heartbeats(port);
        await heartbeats.next(3);
        gateway.pause();
        // One heartbeat waits in the frozen gateway's socket; those of the next second never reach it.
        await heartbeats.next(1);
        proxy.injectNow('freeze');
        await heartbeats.next(5);
        writeFileSync(join(it.root, 'a/nuevo'), '');
        const pending = servedBy(it, path);
        gateway.resume();
        expect(await pending).to.equal('cola');
        await listedSoon(it);
      } finally {
        await it.end('gateway', 'SIGTERM');
        await proxy.stop();
      }
    });

    it('serves nothing stored before mserv1 was restarted', async () => {
      await using it = await setUp({ running: ['mserv1', 'gateway'] });
      mkdirSync(join(it.root, 'a'));
      await cached(it, path);
      await it.end('mserv1');
      writeFileSync(join(it.root, 'a/nuevo'), '');
      await it.start('mserv1');
      await listedSoon(it);
      await cached(it, path);
      expect(await names(it.get(path))).to.deep.equal(['nuevo']);
    });

    for (const kind of ['cut', 'freeze'] as const) {
      it(`serves nothing after the feed's connection is ${kind === 'cut' ? 'cut' : 'frozen'}, until the feed is back`, async () => {
        await using it = await setUp({ running: ['mserv1'] });
        mkdirSync(join(it.root, 'a'));
        const proxy = await startTcpProxy(it.processes.get('mserv1')?.port ?? 0);
        try {
          await it.start('gateway', { MSERV1_URL: `127.0.0.1:${proxy.port}` });
          for (let n = 0; n < 4; n++) {
            await cached(it, path);
            proxy.injectNow(kind);
            writeFileSync(join(it.root, 'a', `${n}`), '');
            await listedSoon(it, { prefer: 'wait=1' });
          }
          // An answer stored while the connection was broken would be served now.
          await cached(it, path);
          expect(await names(it.get(path))).to.have.length(4);
        } finally {
          await it.end('gateway', 'SIGTERM');
          await proxy.stop();
        }
      });
    }

    it('invalidates each answer by the feed of the replica that gave it', async () => {
      await using it = await setUp({ running: ['mserv1'] });
      await using other = await setUp({ running: [], env: { FILES_ROOT: it.root } });
      await other.start('mserv1');
      mkdirSync(join(it.root, 'a'));
      const ports = [it, other].map(({ processes }) => `127.0.0.1:${processes.get('mserv1')?.port}`);
      await it.start('gateway', { MSERV1_URL: ports.join(',') });
      for (let n = 0; n < 10; n++) {
        await cached(it, path);
        writeFileSync(join(it.root, 'a', `${n}`), '');
        await listedSoon(it);
      }
      await it.end('mserv1');
      writeFileSync(join(it.root, 'a/z'), '');
      await listedSoon(it);
      await cached(it, path);
      expect(await names(it.get(path))).to.include('z');
    });
  });
});

/** Listens to the heartbeats of the mserv1 at `port`, which come every 250 ms by its clock. */
class Heartbeats implements Disposable {
  readonly #client: GrpcClient<typeof ListadoServiceDefinition>;
  readonly #feed: ClientReadableStream<VigilarCambiosResponse>;
  #nextHeartbeat = Promise.withResolvers<void>();

  constructor(port: number) {
    this.#client = grpcClient(ListadoServiceDefinition, `127.0.0.1:${port}`);
    this.#feed = this.#client.vigilarCambios({}).on('error', () => undefined);
    this.#feed.on('data', () => {
      this.#nextHeartbeat.resolve();
      this.#nextHeartbeat = Promise.withResolvers();
    });
  }

  /** Resolves after `count` further heartbeats. */
  async next(count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.#nextHeartbeat.promise;
  }

  [Symbol.dispose](): void {
    this.#feed.cancel();
    this.#client.close();
  }
}
