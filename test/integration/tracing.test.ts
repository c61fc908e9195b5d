import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { accepted, answerAt } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import type { LogLine } from '../support/processes/processes.ts';
import { ownVhost, setUp } from '../support/processes/set-up.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';

interface Seen {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  /** Request id of the server's span; empty in other spans. */
  readonly requestId: string;
}

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        traceState?: string;
        name: string;
        attributes: readonly { key: string; value: { stringValue?: string } }[];
      }[];
    }[];
  }[];
}

/** An OTLP/HTTP receiver (JSON): https://opentelemetry.io/docs/specs/otlp/#otlphttp */
class Receiver implements AsyncDisposable {
  readonly spans: Seen[] = [];
  /** Attributes of the resources that the spans were sent with. */
  readonly resources: Record<string, string | undefined>[] = [];
  /** Header fields and path of the last batch. */
  headers: IncomingHttpHeaders = {};
  path: string | undefined;
  /** Number of batches that were sent here. */
  asked = 0;
  readonly #server: Server;

  /** @param answer answers a batch; by default it is accepted */
  constructor(answer = (res: ServerResponse): unknown => res.end('{}')) {
    this.#server = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk) => {
        body += chunk;
      });
      req.on('end', () => {
        if (req.url === '/v1/traces') this.#take(JSON.parse(body) as Exported);
        this.asked += 1;
        this.headers = req.headers;
        this.path = req.url;
        answer(res.setHeader('content-type', 'application/json'));
      });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #take({ resourceSpans }: Exported): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resources.push(
        Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value.stringValue])),
      );
      const name = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        const { traceId, spanId, parentSpanId = '', traceState = '', attributes } = span;
        const requestId =
          attributes.find(({ key }) => key === 'archivero.request_id')?.value.stringValue ?? '';
        this.spans.push({
          service: name,
          name: span.name,
          traceId,
          spanId,
          parentSpanId,
          traceState,
          requestId,
        });
      }
    }
  }

  spansOf(traceId: string): readonly Seen[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

const trace = 'a'.repeat(31);
const client = `${'0'.repeat(15)}1`;

/** Returns the chain of spans from the client's span down to `last`. */
function lineage(spans: readonly Seen[], last: Seen): readonly string[] {
  const above = spans.find(({ spanId }) => spanId === last.parentSpanId);
  const own = `${last.service}: ${last.name}`;
  return above === undefined ? [last.parentSpanId, own] : [...lineage(spans, above), own];
}

describe('Traces', () => {
  it('connect the spans of a request over gRPC, and over ledger, RabbitMQ, service and reply', async () => {
    await using receiver = new Receiver();
    const OTEL_EXPORTER_OTLP_ENDPOINT = await receiver.listen();
    const { url: RABBITMQ_URL } = await ownVhost(await sharedRabbit());
    await using archivero = await setUp({
      env: { OTEL_EXPORTER_OTLP_ENDPOINT, RABBITMQ_URL },
      running: ['mserv1', 'gateway'],
    });
    /** Resolves with the trace of the request with this id. */
    const traceOf = async (requestId: string | null): Promise<string> => {
      const found = () => receiver.spans.find((span) => span.requestId === requestId);
      await eventually(async () => found() !== undefined);
      return found()?.traceId ?? '';
    };
    const seen = (traceId: string, name: string): Promise<void> =>
      eventually(async () => receiver.spansOf(traceId).some((span) => span.name.startsWith(name)));
    const rpc = 'archivos.v1.ListadoService/ListarArchivos';

    const direct = `${trace}1`;
    const answer = await archivero.get('/listar_archivos', {
      traceparent: `00-${direct}-${client}-01`,
      tracestate: 'vendor=1,other=2',
    });
    expect(answer.status).to.equal(200);
    await seen(direct, 'GET /listar_archivos');
    await eventually(async () => receiver.spansOf(direct).length === 3);
    const serviceSpan = receiver.spansOf(direct).find(({ service }) => service === 'archivero-mserv1');
    expect(serviceSpan && lineage(receiver.spansOf(direct), serviceSpan)).to.deep.equal([
      client,
      'archivero-gateway: GET /listar_archivos',
      `archivero-gateway: ${rpc}`,
      `archivero-mserv1: ${rpc}`,
    ]);

    const queued = `${trace}2`;
    const headers = {
      traceparent: `00-${queued}-${client}-01`,
      tracestate: 'vendor=1,other=2',
      prefer: 'respond-async',
    };
    const path = await accepted(archivero, '/listar_archivos', headers);
    expect((await answerAt(archivero, path)).status).to.equal(200);
    await seen(queued, 'store reply');
    await seen(queued, 'GET /listar_archivos');
    await seen(queued, 'process');
    await seen(queued, 'publish');
    const stored = receiver.spansOf(queued).find(({ name }) => name.startsWith('store reply'));
    expect(stored && lineage(receiver.spansOf(queued), stored)).to.deep.equal([
      client,
      'archivero-gateway: GET /listar_archivos',
      'archivero-gateway: publish archivero.mserv1.v1',
      `archivero-mserv1: process ${rpc}`,
      'archivero-gateway: store reply of listar_archivos',
    ]);

    for (const traceId of [direct, queued]) {
      const states = receiver.spansOf(traceId).map(({ traceState }) => traceState);
      expect(new Set(states)).to.deep.equal(new Set(['vendor=1,other=2']));
    }

    // A request without traceparent begins a trace; an unsampled one exports no span.
    const own = await archivero.get('/salud/viva');
    const ownTrace = await traceOf(own.headers.get('x-request-id'));
    expect(receiver.spansOf(ownTrace)[0]?.parentSpanId).to.equal('');
    const unsampled = `${trace}3`;
    await archivero.get('/listar_archivos', { traceparent: `00-${unsampled}-${client}-00` });
    const after = await archivero.get('/healthz');
    await traceOf(after.headers.get('x-request-id'));
    expect(receiver.spansOf(unsampled)).to.deep.equal([]);
  });

  it('carry the header fields, the service name and the attributes that .env gives by OpenTelemetry variables', async () => {
    await using receiver = new Receiver();
    using folder = new TemporaryFolder();
    const ENV_FILE = folder.join('x.env');
    writeFileSync(
      ENV_FILE,
      `OTEL_EXPORTER_OTLP_ENDPOINT=${await receiver.listen()}/v1/traces
       OTEL_EXPORTER_OTLP_HEADERS=x-key=clave%20secreta
       OTEL_SERVICE_NAME=archivos
       OTEL_RESOURCE_ATTRIBUTES=deployment.environment=prueba,equipo=casa`,
    );
    await using gateway = await setUp({ env: { ENV_FILE }, running: ['gateway'] });
    await gateway.get('/salud/viva');
    await eventually(() => receiver.asked > 0);
    expect(receiver.path).to.equal('/v1/traces');
    expect(receiver.headers).to.include({ 'x-key': 'clave secreta' });
    expect(receiver.resources[0]).to.include({
      'service.name': 'archivos',
      'service.namespace': 'archivero',
      'deployment.environment': 'prueba',
      equipo: 'casa',
    });
  });

  for (const [kind, answer] of [
    ['is away', undefined],
    ['accepts connections and never answers', () => undefined],
    ['answers 503', (res) => res.writeHead(503).end()],
    ['answers 410 with a text', (res) => res.writeHead(410).end('gone')],
    ['sends elsewhere', (res) => res.writeHead(308, { location: 'http://127.0.0.1:1/' }).end()],
    ['answers in another protocol', (res) => res.socket?.end('220 smtp ready\r\n')],
  ] satisfies [string, ((res: ServerResponse) => unknown) | undefined][]) {
    it(`are dropped while their receiver ${kind}; requests are answered, and the processes end`, async () => {
      await using receiver = new Receiver(answer);
      const url = await receiver.listen();
      const OTEL_EXPORTER_OTLP_ENDPOINT = answer === undefined ? 'http://127.0.0.1:1' : url;
      await using archivero = await setUp({
        env: { OTEL_EXPORTER_OTLP_ENDPOINT },
        running: ['mserv1', 'gateway'],
      });
      for (let n = 0; n < 5; n++) expect((await archivero.get('/listar_archivos')).status).to.equal(200);
      const told = ({ msg }: LogLine) => msg?.startsWith('receiver of traces unavailable') ?? false;
      const { reason } = (await archivero.processes.get('gateway')?.waitFor(told)) ?? {};
      expect(reason).to.match(/./);
      // Each ends with code 0, and is not held by a handle that is left.
      for (const name of ['gateway', 'mserv1'] as const) await archivero.end(name, 'SIGTERM');
    });
  }
});
