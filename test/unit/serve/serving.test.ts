import { expect } from 'chai';
import { pino } from 'pino';
import { createAnswerCache } from '../../../gateway/answers/answer-cache.ts';
import type { CallResult, ServiceClient } from '../../../gateway/calls/service-client.ts';
import { StreamBrokenError } from '../../../gateway/calls/transport.ts';
import { operationRoutes } from '../../../gateway/serve/routes.ts';
import { services } from '../../../gateway/services.ts';
import { createAcceptor } from '../../../gateway/solicitudes/acceptance.ts';
import { createDrainRate } from '../../../gateway/solicitudes/drain-rate.ts';
import { createWaiters } from '../../../gateway/solicitudes/waiters.ts';
import { ListarArchivosResponse, RecorrerArchivosResponse } from '../../../proto/gen/archivos/v1/listado.ts';
import { Status } from '../../../runtime/status.ts';
import { type HttpApp, startHttpApp } from '../../support/clients/http-app.ts';
import { MemoryLedger } from '../../support/ledger/memory-ledger.ts';

const failure = {
  code: Status.UNAVAILABLE,
  message: 'connect ECONNREFUSED',
  origin: 'client',
  sent: false,
  cancelledByUs: false,
} as const;
const address = '127.0.0.1:5001';
const unreachable: CallResult<never> = {
  kind: 'unreachable',
  address,
  failure,
  proxyError: 'connection_refused',
};
const listed: CallResult = {
  kind: 'verdict',
  ok: true,
  response: ListarArchivosResponse.create({ archivos: [{ nombre: 'a', ruta: 'a' }], completo: true }),
  address,
};
const broken: CallResult = {
  kind: 'verdict',
  ok: false,
  code: Status.INTERNAL,
  message: 'error-interno: Internal error',
  address,
};

/** The gateway's routes over a service client and a ledger of the test. */
class Gateway implements AsyncDisposable {
  /** The result of the next calls. */
  result: CallResult = listed;
  /** The messages of the next streams; undefined while the service is unreachable. */
  messages: (() => AsyncGenerator<unknown>) | undefined;
  /** The signal of the last stream. */
  streamSignal: AbortSignal | undefined;
  /** Milliseconds by which the clock of the cache is ahead. */
  aheadMs = 0;
  readonly calls: string[] = [];
  readonly fallbacks: string[] = [];
  readonly ledger: MemoryLedger;
  #app: HttpApp | undefined;

  private constructor(maxRows: number) {
    this.ledger = new MemoryLedger({ maxRows, maxBytes: 2 ** 20 });
  }

  static async start(maxRows = 10): Promise<Gateway> {
    const gateway = new Gateway(maxRows);
    const { ledger, calls, fallbacks } = gateway;
    const client = {
      service: 'mserv1',
      session: () => undefined,
      stream: async (_call: unknown, { signal }: { readonly signal: AbortSignal }) => {
        const { messages } = gateway;
        gateway.streamSignal = signal;
        return messages === undefined
          ? unreachable
          : { kind: 'verdict', ok: true, response: messages(), address };
      },
    } as unknown as ServiceClient;
    const router = operationRoutes({
      services: services.filter(({ name }) => name === 'mserv1'),
      clients: {
        client: () => client,
        coalescedCall: () => async (method, request) => {
          calls.push(JSON.stringify(method.request.toJson(request)));
          return gateway.result as CallResult<never>;
        },
      },
      cache: createAnswerCache(2 ** 20, () => performance.now() + gateway.aheadMs),
      acceptor: createAcceptor({
        ledger,
        lifetimeMs: 60_000,
        log: pino({ level: 'silent' }),
        now: Date.now,
      }),
      responses: { ledger, waiters: createWaiters(10), drain: createDrainRate({}, Date.now) },
      metrics: { fallback: (...counted) => void fallbacks.push(counted.join(' ')) },
      streamStallMs: 10_000,
    });
    gateway.#app = await startHttpApp((app) => app.use(router.routes()));
    return gateway;
  }

  get(query: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    return fetch(`${this.#app?.url}/listar_archivos${query}`, { headers, method });
  }

  /** The requests that the ledger holds, oldest first. */
  async accepted(): Promise<string[]> {
    const filter = { caller: undefined, state: undefined, before: undefined, limit: 100 };
    return (await this.ledger.list(filter)).map(({ request }) => request).reverse();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app?.stop();
  }
}

const linesOf = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a request for an operation', () => {
  it('is called with its message and answered by the verdict, and is not accepted', async () => {
    await using gateway = await Gateway.start();
    const answer = await gateway.get('?ruta=2026');
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('servido-por')).to.equal('grpc');
    expect(((await answer.json()) as { archivos: unknown[] }).archivos).to.have.length(1);
    expect(gateway.calls.map((call) => JSON.parse(call))).to.deep.equal([{ ruta: '2026', limite: 1000 }]);
    expect(await gateway.accepted()).to.deep.equal([]);
    expect(gateway.fallbacks).to.deep.equal([]);
  });

  it('is accepted once, with the called message, when the service is unreachable', async () => {
    await using gateway = await Gateway.start();
    gateway.result = unreachable;
    const answer = await gateway.get('?ruta=2026');
    expect(answer.status).to.equal(202);
    expect(answer.headers.get('proxy-status')).to.equal(
      `archivero; error=connection_refused; next-hop="${address}"`,
    );
    expect(await gateway.accepted())
      .to.deep.equal(gateway.calls)
      .and.to.have.length(1);
    expect(gateway.fallbacks).to.deep.equal(['mserv1 queued connection_refused']);
  });

  it('is answered by an error of the service, which is neither accepted nor kept', async () => {
    await using gateway = await Gateway.start();
    gateway.result = broken;
    expect((await gateway.get('')).status).to.equal(500);
    expect(await gateway.accepted()).to.deep.equal([]);
    gateway.result = unreachable;
    expect((await gateway.get('', { 'cache-control': 'stale-if-error=60' })).status).to.equal(202);
  });

  it('is 503 and not accepted when the service is unreachable and the method is HEAD', async () => {
    await using gateway = await Gateway.start();
    gateway.result = unreachable;
    const answer = await gateway.get('', { 'idempotency-key': '"k"', prefer: 'respond-async' }, 'HEAD');
    expect(answer.status).to.equal(503);
    expect(answer.headers.get('retry-after')).to.equal('1');
    expect(answer.headers.get('proxy-status')).to.contain('connection_refused');
    expect(await gateway.accepted()).to.deep.equal([]);
    expect(gateway.fallbacks).to.deep.equal(['mserv1 refused connection_refused']);
  });

  it('is accepted without a call when it prefers respond-async', async () => {
    await using gateway = await Gateway.start();
    const answer = await gateway.get('', { prefer: 'respond-async' });
    expect(answer.status).to.equal(202);
    expect(answer.headers.get('preference-applied')).to.equal('respond-async');
    expect(answer.headers.get('proxy-status')).to.equal(null);
    expect(gateway.calls).to.deep.equal([]);
    expect(await gateway.accepted()).to.have.length(1);
    expect(gateway.fallbacks).to.deep.equal(['mserv1 queued preferred']);
  });

  it('is called when its key is new, and resolves to the solicitud of its key when there is one', async () => {
    await using gateway = await Gateway.start();
    const key = { 'idempotency-key': '"k"' };
    expect((await gateway.get('', key)).status).to.equal(200);
    gateway.result = unreachable;
    const first = await gateway.get('', key);
    gateway.result = listed;
    const second = await gateway.get('', key);
    expect([first.status, second.status]).to.deep.equal([202, 202]);
    expect(second.headers.get('location')).to.equal(first.headers.get('location'));
    expect(gateway.calls).to.have.length(2);
    expect(await gateway.accepted()).to.have.length(1);
    expect((await gateway.get('?ruta=otra', key)).status).to.equal(422);
  });

  it('is 503 when it must be accepted and the ledger is full', async () => {
    await using gateway = await Gateway.start(0);
    gateway.result = unreachable;
    expect((await gateway.get('')).status).to.equal(503);
    expect((await gateway.get('', { prefer: 'respond-async' })).status).to.equal(503);
    expect(gateway.calls).to.have.length(1);
  });
});

describe('the last known answer', () => {
  const allowed = { 'cache-control': 'stale-if-error=60' };

  it('is sent with its age and links to the solicitud when the service is unreachable', async () => {
    await using gateway = await Gateway.start();
    const body = await (await gateway.get('')).text();
    gateway.result = unreachable;
    gateway.aheadMs = 5_000;
    const answer = await gateway.get('', allowed);
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('servido-por')).to.equal('cache');
    expect(Number(answer.headers.get('age'))).to.be.within(5, 60);
    expect(await answer.text()).to.equal(body);
    expect(answer.headers.get('link')).to.match(
      /<\/solicitudes\/[^/>]+\/respuesta>; rel="latest-version", <\/solicitudes\/[^/>]+>; rel="monitor"/,
    );
    expect(await gateway.accepted()).to.have.length(1);
  });

  it('is sent without links when the ledger is full', async () => {
    await using gateway = await Gateway.start(0);
    await gateway.get('');
    gateway.result = unreachable;
    const answer = await gateway.get('', allowed);
    expect([answer.status, answer.headers.get('link')]).to.deep.equal([200, null]);
  });

  for (const [why, headers, aheadMs] of [
    ['the request does not allow it', {}, 0],
    ['it is older than the request allows', allowed, 61_000],
    ['the client prefers respond-async', { ...allowed, prefer: 'respond-async' }, 0],
  ] as const) {
    it(`is not sent when ${why}`, async () => {
      await using gateway = await Gateway.start();
      await gateway.get('');
      gateway.result = unreachable;
      gateway.aheadMs = aheadMs;
      expect((await gateway.get('', headers)).status).to.equal(202);
    });
  }

  it('is not there when its request had Cache-Control: no-store', async () => {
    await using gateway = await Gateway.start();
    await gateway.get('', { 'cache-control': 'no-store' });
    gateway.result = unreachable;
    expect((await gateway.get('', allowed)).status).to.equal(202);
  });
});

describe('a request for NDJSON', () => {
  const ndjson = '?formato=ndjson';
  const message = RecorrerArchivosResponse.create({ archivos: [{ nombre: 'a', ruta: 'a' }] });
  const unreadable = RecorrerArchivosResponse.create({ errores: [{ ruta: 'b', codigo: 'EACCES' }] });

  it('is streamed, with a last line that counts entries and tells that some could not be read', async () => {
    await using gateway = await Gateway.start();
    gateway.messages = async function* () {
      yield message;
      yield unreadable;
      yield message;
    };
    const answer = await gateway.get(ndjson);
    expect(answer.headers.get('content-type')).to.match(/^application\/x-ndjson/);
    const lines = linesOf(await answer.text());
    expect(lines).to.have.length(4);
    expect(lines[1]).to.deep.equal({ error: { ruta: 'b', codigo: 'EACCES' } });
    expect(lines[3]).to.deep.equal({ fin: true, completo: false, total: 2 });
    expect(gateway.calls).to.deep.equal([]);
  });

  it('is cut without its last line when the stream breaks', async () => {
    await using gateway = await Gateway.start();
    gateway.messages = async function* () {
      yield message;
      throw new StreamBrokenError(failure);
    };
    const answer = await gateway.get(ndjson);
    expect(answer.status).to.equal(200);
    const end = await answer.text().catch((error: unknown) => error);
    expect(end).to.be.instanceOf(TypeError);
  });

  it('is 503 and not accepted when the service is unreachable', async () => {
    await using gateway = await Gateway.start();
    const answer = await gateway.get(ndjson, { 'idempotency-key': '"k"' });
    expect(answer.status).to.equal(503);
    expect(await gateway.accepted()).to.deep.equal([]);
    expect(gateway.fallbacks).to.deep.equal(['mserv1 refused connection_refused']);
  });

  for (const [query, headers] of [
    [`${ndjson}&limite=5`, {}],
    [`${ndjson}&cursor=x`, {}],
    [ndjson, { prefer: 'respond-async' }],
  ] as const) {
    it(`is 400 for ${query} ${JSON.stringify(headers)}`, async () => {
      await using gateway = await Gateway.start();
      expect((await gateway.get(query, headers)).status).to.equal(400);
      expect(await gateway.accepted()).to.deep.equal([]);
    });
  }

  it('ends the call after the headers when it is a HEAD', async () => {
    await using gateway = await Gateway.start();
    gateway.messages = async function* () {
      yield message;
    };
    const answer = await gateway.get(ndjson, {}, 'HEAD');
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('content-type')).to.match(/^application\/x-ndjson/);
    expect(gateway.streamSignal?.aborted).to.equal(true);
  });
});

describe('a disconnected client', () => {
  it('gets 499, and its request is not accepted', async () => {
    await using gateway = await Gateway.start();
    gateway.result = { kind: 'gone' };
    expect((await gateway.get('')).status).to.equal(499);
    expect(await gateway.accepted()).to.deep.equal([]);
  });
});
