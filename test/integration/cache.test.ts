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

/** As it is on the wire: fetch would decode it. */
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

/** Asks until the answer comes from the cache. */
async function cached(it: SetUp, path: string): Promise<void> {
  await eventually(async () => (await servedBy(it, path)) === 'cache');
}

async function names(answer: Promise<Response>): Promise<string[]> {
  return (await (await answer).json()) as string[];
}

/** Asks until the listing of `a` is as it is now, and sees to it that the cache gives an older one for a moment at most. */
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

describe('The cache', () => {
  const path = listing;

  it('serves the same status, headers and bytes as the call and the queue, from the third time on', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    for (let n = 0; n < 40; n++) writeFileSync(join(it.root, `fichero ${n}`), 'x');
    for (const target of [
      '/listar_archivos',
      '/v1/listar_archivos?limite=7&orden=-natural',
      '/listar_archivos?formato=nombres&limite=2',
    ]) {
      const calls = [await it.get(target), await it.get(target)];
      await cached(it, target);
      const kept = await it.get(target);
      expect(kept.headers.get('servido-por')).to.equal('cache');
      const where = await accepted(it, target, { prefer: 'respond-async' });
      const ways = await Promise.all([...calls, kept, await answerAt(it, where)].map(identityOf));
      for (const way of ways) expect(way).to.deep.equal(ways[0]);
    }
  });

  it('gives each content coding an ETag of its own, and a 304 for any of them', async () => {
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
    // By a call, and not out of the cache.
    const called = await raw(it, target, { 'cache-control': 'no-cache', 'accept-encoding': 'gzip' });
    expect(called.headers).to.include({ 'servido-por': 'grpc', etag: gzip.headers.etag });
    const head = await fetch(it.url + target, { method: 'HEAD', headers: { 'accept-encoding': 'identity' } });
    expect(head.headers.get('content-length')).to.equal(`${plain.body.length}`);
  });

  it('is asked around: no-cache, max-age, no-store, respond-async and keys', async () => {
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
    // Another spelling, another Host, a foreign one.
    expect((await raw(it, path, { host: 'evil.example' })).status).to.equal(421);
    const gateway = it.processes.get('gateway');
    const line = await gateway?.waitFor((each) => each['servidoPor'] === 'cache');
    expect(line).to.include({ msg: 'request', route: '/listar_archivos', status: 200, caller: 'anonimo' });
  });

  it('is behind the checks of who may ask, and says of its answers what they depend on', async () => {
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

  it('keeps nothing when it is switched off, and nothing that has no room', async () => {
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

  it('is told of a change before a client could ask for it, again and again', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    mkdirSync(join(it.root, 'a'));
    for (let n = 0; n < 30; n++) {
      await cached(it, path);
      writeFileSync(join(it.root, 'a', `${n}`), '');
      await listedSoon(it);
      expect(await names(it.get(path, { 'cache-control': 'no-cache' }))).to.have.length(n + 1);
    }
  });

  it('gives the last answer that is known when that is asked for and the service is away', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'] });
    mkdirSync(join(it.root, 'a'));
    const before = await identityOf(await it.get(path));
    await it.end('mserv1');
    writeFileSync(join(it.root, 'a/nuevo'), '');
    const stale = await it.get(path, { 'cache-control': 'stale-if-error=60' });
    expect(stale.headers.get('age')).to.match(/^\d+$/);
    expect(stale.headers.get('servido-por')).to.equal('cache');
    const where = /<([^>]+)>; rel="latest-version"/.exec(stale.headers.get('link') ?? '')?.[1] ?? '';
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
    expect(await (await answerAt(it, where)).json()).to.deep.equal(['nuevo']);
  });

  it('gives it also when nothing can be accepted any more', async () => {
    await using it = await setUp({ running: ['mserv1', 'gateway'], env: { LEDGER_MAX_ROWS: '1' } });
    mkdirSync(join(it.root, 'a'));
    await it.get(path);
    await it.end('mserv1');
    await accepted(it, path);
    expect((await it.get(path)).status).to.equal(503);
    expect((await it.get(path, { 'cache-control': 'stale-if-error=60' })).status).to.equal(200);
  });

  describe('when the feed fails', () => {
    it('serves nothing once mserv1 is frozen, and what is so when it goes on', async () => {
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

    it('serves nothing that was kept before the gateway itself was frozen, though old beats wait for it', async () => {
      await using it = await setUp({ running: ['mserv1'] });
      mkdirSync(join(it.root, 'a'));
      const { port } = it.processes.get('mserv1') as Proc;
      const proxy = await startTcpProxy(port);
      const gateway = await it.start('gateway', { MSERV1_URL: `127.0.0.1:${proxy.port}` });
      try {
        await cached(it, path);
        using beats = new Beats(port);
        await beats.next(3);
        gateway.pause();
        // Beats that the gateway finds in its socket, and then more than a second of which it hears nothing.
        await beats.next(1);
        proxy.strike('freeze');
        await beats.next(5);
        writeFileSync(join(it.root, 'a/nuevo'), '');
        const asked = servedBy(it, path);
        gateway.resume();
        expect(await asked).to.equal('cola');
        await listedSoon(it);
      } finally {
        await it.end('gateway', 'SIGTERM');
        await proxy.stop();
      }
    });

    it('serves nothing of before when mserv1 was started again', async () => {
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
      it(`serves nothing after its connection is ${kind === 'cut' ? 'cut' : 'frozen'}, until it is heard again`, async () => {
        await using it = await setUp({ running: ['mserv1'] });
        mkdirSync(join(it.root, 'a'));
        const proxy = await startTcpProxy(it.processes.get('mserv1')?.port ?? 0);
        try {
          await it.start('gateway', { MSERV1_URL: `127.0.0.1:${proxy.port}` });
          for (let n = 0; n < 4; n++) {
            await cached(it, path);
            proxy.strike(kind);
            writeFileSync(join(it.root, 'a', `${n}`), '');
            await listedSoon(it, { prefer: 'wait=1' });
          }
          // What was kept in between is served now, if it is served.
          await cached(it, path);
          expect(await names(it.get(path))).to.have.length(4);
        } finally {
          await it.end('gateway', 'SIGTERM');
          await proxy.stop();
        }
      });
    }

    it('keeps what each of several replicas answered under the word of that one', async () => {
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

/** The beats of the mserv1 at `port`, a quarter of a second apart by its own clock. */
class Beats implements Disposable {
  readonly #client: GrpcClient<typeof ListadoServiceDefinition>;
  readonly #feed: ClientReadableStream<VigilarCambiosResponse>;
  #heard = Promise.withResolvers<void>();

  constructor(port: number) {
    this.#client = grpcClient(ListadoServiceDefinition, `127.0.0.1:${port}`);
    this.#feed = this.#client.vigilarCambios({}).on('error', () => undefined);
    this.#feed.on('data', () => {
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    });
  }

  /** Resolves after so many beats that are still to come. */
  async next(count: number): Promise<void> {
    for (let n = 0; n < count; n++) await this.#heard.promise;
  }

  [Symbol.dispose](): void {
    this.#feed.cancel();
    this.#client.close();
  }
}
