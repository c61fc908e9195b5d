import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type RequestListener, request } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { mock } from 'node:test';
import { promisify } from 'node:util';
import Router from '@koa/router';
import { expect } from 'chai';
import fc from 'fast-check';
import { pino } from 'pino';
import { type AnswerCache, createAnswerCache } from '../../../gateway/answers/answer-cache.ts';
import { createFastPath } from '../../../gateway/answers/fast-path.ts';
import { Representations } from '../../../gateway/answers/representations.ts';
import { type AppDeps, createApp } from '../../../gateway/app.ts';
import { FeedSession } from '../../../gateway/calls/feed-session.ts';
import { createAccessLog } from '../../../gateway/http/access-log.ts';
import { createHttpServer } from '../../../gateway/http/server.ts';
import type { Verified } from '../../../gateway/identity/authenticator.ts';
import { invalidToken } from '../../../gateway/identity/challenge.ts';
import { createConcurrency } from '../../../gateway/limits/concurrency.ts';
import { createRateLimit } from '../../../gateway/limits/rate-limit.ts';
import {
  type Allowance,
  createMemoryStore,
  type Limiter,
  type LimitStore,
} from '../../../gateway/limits/store.ts';
import { createMetrics } from '../../../gateway/metrics/metrics.ts';
import { eventually } from '../../support/eventually.ts';

const site = 'https://app.example.org';
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a cache holds, under which a feed says that all is as it was. */
class Answers {
  /** By a clock that stands: nothing here is out of date because a machine is slow. */
  readonly cache: AnswerCache = createAnswerCache(1_000_000, () => 0);
  #session = Answers.#begin();
  #numero = 0;

  keep(path: string, text: string): void {
    const body = Buffer.from(JSON.stringify({ text: text.repeat(400) }));
    const etag = `"${text}"`;
    const headers = { 'content-type': 'application/json; charset=utf-8', etag, link: '<b>; rel="next"' };
    const validity = { reloj: { instancia: 'i', numero: this.#numero }, carpeta: path };
    this.cache.keep(path, {
      representations: new Representations({ status: 200, headers, body }),
      route: '/listar_archivos',
      askedAt: 0,
      feed: { validity, session: this.#session },
    });
  }

  change(path: string): void {
    this.#numero += 1;
    const reloj = { instancia: 'i', numero: this.#numero };
    this.#session.hear({ reloj, carpetas: [path], todo: false, latidoMs: undefined }, 0);
  }

  cut(): void {
    this.#session.end();
    this.#session = Answers.#begin(this.#numero);
  }

  beat(): void {
    const reloj = { instancia: 'i', numero: this.#numero };
    this.#session.hear({ reloj, carpetas: [], todo: false, latidoMs: 0 }, 0);
  }

  static #begin(numero = 0): FeedSession {
    return new FeedSession({
      reloj: { instancia: 'i', numero },
      carpetas: [],
      todo: false,
      latidoMs: undefined,
    });
  }
}

/** Writes down what was spent only when it is let to, as a database does that hangs. */
class HeldStore implements LimitStore {
  #released = Promise.resolve();
  release: () => void = () => undefined;
  waiting = 0;

  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#released = promise;
    this.release = resolve;
  }

  limiter(allowance: Allowance): Limiter {
    const limiter = createMemoryStore().limiter(allowance);
    return {
      points: limiter.points,
      get: (key) => limiter.get(key),
      delete: (key) => limiter.delete(key),
      consume: async (key, cost) => {
        this.waiting += 1;
        await this.#released;
        this.waiting -= 1;
        return limiter.consume(key, cost);
      },
    };
  }

  async stop(): Promise<void> {}
}

interface Options {
  readonly store?: LimitStore;
  readonly points?: number;
  readonly tokenUntil?: number;
  /** Whether what comes has come through a proxy that is trusted. */
  readonly proxied?: boolean;
  readonly most?: number;
}

/** The gateway's application over a cache, with the fast path or without. */
async function startApp({ cache }: Answers, shortcut: boolean, options: Options = {}) {
  const { points = 100_000, tokenUntil = Number.POSITIVE_INFINITY, most = 100 } = options;
  const { store = createMemoryStore() } = options;
  const lines: Record<string, unknown>[] = [];
  const log = pino({}, { write: (text) => void lines.push(JSON.parse(text)) });
  const accessLog = createAccessLog(log, createMetrics());
  const concurrency = createConcurrency(most);
  const allowances = [{ name: '1h', points, seconds: 3600 }];
  const rateLimit = createRateLimit({ allowances, costs: new Map(), store });
  const fastPath = createFastPath({ cache, accessLog, concurrency, rateLimit });
  const holder = (id: string): Verified => ({
    identity: { id, scopes: new Set(['archivos:leer']) },
    expiresAt: tokenUntil,
  });
  const verify = (token: string): Verified => {
    if (Date.now() >= tokenUntil || !token.startsWith('Bearer ')) throw invalidToken();
    return holder(token.slice('Bearer '.length));
  };
  const authenticator = {
    identify: ({ headers: { authorization } }: { headers: IncomingHttpHeaders }) =>
      authorization === undefined ? undefined : verify(authorization),
    verify,
  };
  const networks = (address: string) => {
    const list = new BlockList();
    list.addAddress(address);
    return list;
  };
  // What is not kept here is nowhere.
  const app = createApp({
    ...{ log, accessLog, concurrency, fastPath, rateLimit, cache, services: [], callers: [] },
    ...{ live: { routes: () => new Router(), paths: [] }, colas: { routes: () => new Router() } },
    identities: { authenticator, routes: new Router() },
    corsOrigins: [site],
    allowedHosts: ['archivos.example.org'],
    trustedProxies: options.proxied ? networks('127.0.0.1') : undefined,
    ipAllow: undefined,
    ipDeny: networks('192.0.2.66'),
    retirement: { deprecation: new Date(0), sunset: undefined },
  } as Partial<AppDeps> as AppDeps);
  let passedOn = 0;
  const callback = app.callback();
  const middlewares: RequestListener = (req, res) => {
    passedOn += 1;
    callback(req, res);
  };
  const server = createHttpServer(shortcut ? fastPath.listener(middlewares) : middlewares, () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    lines,
    passedOn: () => passedOn,
    ask: (asked: Asked, by?: Agent) => ask(port, asked, by),
    connections: () => promisify(server.getConnections.bind(server))(),
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function ask(port: number, { method, path, headers }: Asked, by = agent): Promise<Answered> {
  const req = request({
    port,
    host: '127.0.0.1',
    method,
    path,
    agent: by,
    headers: { host: 'localhost', ...headers },
  });
  req.end();
  const [res] = await once(req, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of res) chunks.push(chunk);
  return { status: res.statusCode, headers: res.headers, body: Buffer.concat(chunks).toString('latin1') };
}

/** Without what no two answers share. */
function comparable({ status, headers, body }: Answered) {
  const { date: _, 'x-request-id': id, ratelimit, ...others } = headers;
  const problem = status >= 400 ? body.replaceAll(String(id), 'ID') : body;
  return { status, body: problem, left: String(ratelimit).replace(/t=\d+/, ''), ...others };
}

const get = (path: string, headers: Asked['headers'] = {}): Asked => ({
  method: 'GET',
  path,
  headers: { authorization: 'Bearer ana', ...headers },
});

/** What may stand in a request, and whether that one is to be answered in another way. */
const fields: Readonly<Record<string, readonly string[]>> = {
  authorization: ['Bearer ana', 'Bearer eva', 'Basic x'],
  host: ['127.0.0.1:80', 'evil.example', 'archivos.example.org'],
  'x-forwarded-for': ['192.0.2.1', '192.0.2.66', '192.0.2.66, 192.0.2.1', 'x', ''],
  'x-forwarded-host': ['archivos.example.org', 'evil.example'],
  'x-forwarded-proto': ['https', 'http'],
  'accept-language': ['en', 'es;q=0, en'],
  'sec-fetch-site': ['cross-site', 'same-origin', 'none'],
  connection: ['close', 'keep-alive'],
  expect: ['100-continue', 'else'],
  range: ['bytes=0-3'],
  origin: [site, 'https://evil.example'],
  accept: ['*/*', 'application/json'],
  'accept-encoding': ['gzip', 'br', 'gzip;q=0, br;q=0.5'],
  'if-none-match': ['"one"', '"two-gzip"', 'W/"one", "three"'],
  'cache-control': ['no-cache', 'max-age=0', 'max-age=60'],
  prefer: ['wait=1', 'respond-async'],
  'x-request-id': ['mine', 'not well formed'],
  traceparent: [`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
  'content-length': ['0'],
};

describe('Repeated requests', () => {
  after(() => agent.destroy());

  it('are answered as by the middlewares, whatever is asked and whatever changes', async () => {
    const paths = [
      '/listar_archivos?ruta=a',
      '/v1/listar_archivos?ruta=a',
      '/listar_archivos?ruta=b',
    ] as const;
    const path = fc.constantFrom(...paths);
    const field = fc
      .constantFrom(...Object.keys(fields))
      .chain((name) => fc.constantFrom(...(fields[name] ?? [])).map((value) => [name, value] as const));
    const method = fc.constantFrom('GET', 'GET', 'HEAD', 'POST');
    const first = fc.record({ method, path, more: fc.array(field, { maxLength: 1 }) });
    const change = fc.oneof(
      {
        weight: 8,
        arbitrary: field.map(([name, value]): Partial<Asked> => ({ headers: { [name]: value } })),
      },
      { weight: 1, arbitrary: path.map((other): Partial<Asked> => ({ path: other })) },
      { weight: 1, arbitrary: method.map((other): Partial<Asked> => ({ method: other })) },
    );
    // All of them differ in one thing, which must be enough.
    const few = fc
      .record({ first, changes: fc.array(change, { minLength: 1, maxLength: 3 }) })
      .map(({ first: { more, ...rest }, changes }): Asked[] => {
        const base = { ...rest, headers: { authorization: 'Bearer ana', ...Object.fromEntries(more) } };
        return [
          base,
          ...changes.map((other) => ({ ...base, ...other, headers: { ...base.headers, ...other.headers } })),
        ];
      });
    const steps = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.nat({ max: 3 }).map((which) => ({ does: 'ask', which }) as const) },
        { weight: 1, arbitrary: path.map((of) => ({ does: 'change', of }) as const) },
        {
          weight: 2,
          arbitrary: fc
            .record({ of: path, text: fc.constantFrom('one', 'two', 'three') })
            .map((kept) => ({ does: 'keep', ...kept }) as const),
        },
        { weight: 1, arbitrary: fc.constant({ does: 'cut' } as const) },
      ),
      { minLength: 10, maxLength: 40 },
    );
    let short = 0;
    await fc.assert(
      fc.asyncProperty(few, steps, fc.boolean(), async (asked, doing, proxied) => {
        const answers = new Answers();
        await using plain = await startApp(answers, false, { proxied });
        await using quick = await startApp(answers, true, { proxied });
        for (const each of paths) answers.keep(each, 'one');
        for (const step of doing) {
          answers.beat();
          if (step.does === 'change') answers.change(step.of);
          else if (step.does === 'keep') answers.keep(step.of, step.text);
          else if (step.does === 'cut') answers.cut();
          else {
            const each = asked[step.which % asked.length] ?? get(paths[0]);
            const [expected, got] = [await plain.ask(each), await quick.ask(each)];
            expect(comparable(got)).to.deep.equal(comparable(expected));
            const { 'x-request-id': given }: Asked['headers'] = each.headers;
            if (given === 'mine') expect(got.headers['x-request-id']).to.equal('mine');
            else expect(got.headers['x-request-id']).to.match(/^[0-9a-f-]{36}$/);
          }
        }
        await eventually(() => quick.lines.length === plain.lines.length);
        const told = (all: typeof quick.lines) =>
          all.map(({ time: _time, ms: _ms, requestId: _id, ...line }) => line);
        expect(told(quick.lines)).to.deep.equal(told(plain.lines));
        short += plain.passedOn() - quick.passedOn();
      }),
      { numRuns: 100 },
    );
    // Else this compared the middlewares with themselves.
    expect(short).to.be.greaterThan(20);
  });

  for (const proxied of [false, true]) {
    it(`are no more the same when a single field is another one${proxied ? ', behind a proxy' : ''}`, async () => {
      const answers = new Answers();
      await using plain = await startApp(answers, false, { proxied });
      await using quick = await startApp(answers, true, { proxied });
      answers.keep('/listar_archivos', 'one');
      const all = Object.entries(fields).flatMap(([name, values]) =>
        values.map((value) => ({ [name]: value })),
      );
      for (const other of all) {
        for (const headers of [{}, {}, other, other]) {
          answers.beat();
          const asked = get('/listar_archivos', headers);
          const [expected, got] = [await plain.ask(asked), await quick.ask(asked)];
          expect(comparable(got), JSON.stringify(other)).to.deep.equal(comparable(expected));
        }
      }
      expect(plain.passedOn() - quick.passedOn()).to.be.above(2 * all.length - 3);
    });
  }

  it('count as any other, and are refused by the middlewares when nothing is left, at no more than their cost', async () => {
    const answers = new Answers();
    await using app = await startApp(answers, true, { points: 5 });
    answers.beat();
    answers.keep('/listar_archivos', 'one');
    const left: (string | undefined)[] = [];
    for (let n = 0; n < 5; n++) {
      const { headers } = await app.ask(get('/listar_archivos'));
      left.push(/r=(\d+)/.exec(String(headers['ratelimit']))?.[1]);
    }
    expect(left).to.deep.equal(['4', '3', '2', '1', '0']);
    expect(app.passedOn()).to.equal(1);
    const refused = await app.ask(get('/listar_archivos'));
    expect(refused.status).to.equal(429);
    expect(app.passedOn()).to.equal(2);
    expect((await app.ask(get('/listar_archivos', { authorization: 'Bearer eva' }))).status).to.equal(200);
  });

  it('need a token that is still good', async () => {
    const answers = new Answers();
    const tokenUntil = Date.now() + 3_600_000;
    await using app = await startApp(answers, true, { tokenUntil });
    answers.keep('/listar_archivos', 'one');
    answers.beat();
    const ask = async () => (await app.ask(get('/listar_archivos'))).status;
    for (let n = 0; n < 3; n++) expect(await ask()).to.equal(200);
    expect(app.passedOn()).to.equal(1);
    const clock = mock.method(Date, 'now', () => tokenUntil);
    try {
      expect(await ask()).to.equal(401);
    } finally {
      clock.mock.restore();
    }
  });

  it('are no more than may be under way', async () => {
    const answers = new Answers();
    await using app = await startApp(answers, true, { most: 0 });
    answers.beat();
    answers.keep('/listar_archivos', 'one');
    expect((await app.ask(get('/listar_archivos'))).status).to.equal(503);
  });

  it('are under way while they are charged, and no more when their client leaves meanwhile', async () => {
    const answers = new Answers();
    const store = new HeldStore();
    await using app = await startApp(answers, true, { most: 2, store });
    answers.keep('/listar_archivos', 'one');
    const asking = async (by?: Agent) => {
      answers.beat();
      return (await app.ask(get('/listar_archivos'), by)).status;
    };
    for (const status of [200, 200]) expect(await asking()).to.equal(status);
    const passedOn = app.passedOn();
    for (const leaves of [true, false]) {
      store.hold();
      const agents = [1, 2].map(() => new Agent({ keepAlive: true }));
      const asked = agents.map((by) => asking(by).catch(() => 'left'));
      await eventually(() => store.waiting === 2);
      expect(await asking(), 'a third one').to.equal(503);
      if (leaves) {
        for (const by of agents) by.destroy();
        await eventually(async () => (await app.connections()) === 1);
      }
      store.release();
      expect(await Promise.all(asked)).to.deep.equal(leaves ? ['left', 'left'] : [200, 200]);
      for (const by of agents) by.destroy();
      expect(await asking()).to.equal(200);
    }
    await eventually(() => app.lines.filter(({ status }) => status === 499).length === 2);
    expect(app.passedOn(), 'only those that were too many').to.equal(passedOn + 2);
  });

  it('are not the same when one has another number of X-Request-Id, which may be too many', async () => {
    const answers = new Answers();
    await using app = await startApp(answers, true);
    answers.beat();
    answers.keep('/listar_archivos', 'one');
    for (const [count, status] of [
      [1, 200],
      [1, 200],
      [201, 431],
    ] as const) {
      const ids = Array<string>(count).fill('a');
      answers.beat();
      expect((await app.ask(get('/listar_archivos', { 'x-request-id': ids }))).status).to.equal(status);
    }
  });
});
