import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  Metadata,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';
import { expect } from 'chai';
import { pino } from 'pino';
import {
  createServiceClient,
  type ServiceClientOptions,
} from '../../../gateway/calls/load-balanced-client.ts';
import type { CallResult, ServiceClient } from '../../../gateway/calls/service-client.ts';
import { StreamBrokenError } from '../../../gateway/calls/transport.ts';
import {
  type BuscarEnVivoRequest,
  type BuscarEnVivoResponse,
  BusquedaServiceDefinition,
  type TransmitirBusquedaRequest,
  TransmitirBusquedaResponse,
} from '../../../proto/gen/archivos/v1/busqueda.ts';
import { grpcServiceOf } from '../../../runtime/grpc/service.ts';
import { methodOf } from '../../../runtime/method.ts';
import { Status } from '../../../runtime/status.ts';
import { startHttp2 } from '../../support/services/listado-server.ts';

type Streaming = handleServerStreamingCall<TransmitirBusquedaRequest, TransmitirBusquedaResponse>;
type Live = handleBidiStreamingCall<BuscarEnVivoRequest, BuscarEnVivoResponse>;
type Answered = CallResult<AsyncIterable<TransmitirBusquedaResponse>>;

const transmitir = methodOf(BusquedaServiceDefinition, 'transmitirBusqueda');
const enVivo = methodOf(BusquedaServiceDefinition, 'buscarEnVivo');
const part = (total: number, size = 0): TransmitirBusquedaResponse =>
  TransmitirBusquedaResponse.create({ total, errores: [{ ruta: 'x'.repeat(size), codigo: 'E' }] });

describe('A stream of the service client', () => {
  const cleanUp: (() => unknown)[] = [];

  afterEach(async () => {
    for (const undo of cleanUp.splice(0).reverse()) await undo();
  });

  async function serve(handlers: { transmitirBusqueda?: Streaming; buscarEnVivo?: Live }): Promise<string> {
    const server = new Server();
    server.addService(grpcServiceOf(BusquedaServiceDefinition), handlers);
    cleanUp.push(() => server.forceShutdown());
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return `127.0.0.1:${port}`;
  }

  /** Starts a server without a health service that handles every call with `answer`; returns its address. */
  async function serveHttp2(answer: (stream: ServerHttp2Stream) => void): Promise<string> {
    const server = await startHttp2((stream, headers) => {
      if (!headers[':path']?.endsWith('/Check')) return answer(stream);
      const unimplemented = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' };
      stream.respond(unimplemented, { endStream: true });
    });
    cleanUp.push(server.stop);
    return server.address;
  }

  async function clientTo(
    addresses: string,
    more: Partial<ServiceClientOptions> = {},
  ): Promise<ServiceClient> {
    const client = createServiceClient({
      service: 'mserv2',
      addresses,
      deadlineMs: 10_000,
      log: pino({ level: 'silent' }),
      probeIntervalMs: 20,
      ...more,
    });
    cleanUp.push(() => client.stop());
    await client.start();
    return client;
  }

  const options = (signal = new AbortController().signal) => ({ signal, requestId: 'r1', traceparent: '' });
  const stream = (client: ServiceClient, signal?: AbortSignal) =>
    client.stream({ method: transmitir, request: { consulta: undefined } }, options(signal));

  function responses(result: Answered): AsyncIterable<TransmitirBusquedaResponse> {
    if (result.kind === 'verdict' && result.ok) return result.response;
    throw new Error(`it was ${JSON.stringify(result)}`);
  }

  /** Reads all totals, and the failure that broke the stream. */
  async function read(result: Answered) {
    const totals: (number | undefined)[] = [];
    try {
      for await (const { total } of responses(result)) totals.push(total);
      return { totals, failure: undefined };
    } catch (error) {
      if (!(error instanceof StreamBrokenError)) throw error;
      return { totals, failure: error.failure };
    }
  }

  it('gives the address and all responses, then ends', async () => {
    const address = await serve({
      transmitirBusqueda: (call) => {
        for (let i = 0; i < 50; i++) call.write(part(i));
        call.end();
      },
    });
    const result = await stream(await clientTo(address));
    expect(result).to.include({ kind: 'verdict', address });
    expect((await read(result)).totals).to.deep.equal(Array.from({ length: 50 }, (_, i) => i));
  });

  it('ends without a response when the handler sends none', async () => {
    const address = await serve({ transmitirBusqueda: (call) => call.end() });
    expect(await read(await stream(await clientTo(address)))).to.deep.equal({
      totals: [],
      failure: undefined,
    });
  });

  for (const headersFirst of [false, true]) {
    it(`gives a status before the first response as a verdict, ${headersFirst ? 'with' : 'without'} response headers`, async () => {
      const address = await serve({
        transmitirBusqueda: (call) => {
          if (headersFirst) call.sendMetadata(new Metadata());
          call.emit('error', { code: Status.NOT_FOUND, details: 'ruta-no-existe: No' });
        },
      });
      expect(await stream(await clientTo(address))).to.deep.equal({
        kind: 'verdict',
        ok: false,
        code: Status.NOT_FOUND,
        message: 'ruta-no-existe: No',
        address,
      });
    });
  }

  it('breaks with a status after the first response', async () => {
    const address = await serve({
      transmitirBusqueda: (call) => {
        call.write(part(1));
        call.emit('error', { code: Status.INTERNAL, details: 'error-interno: Internal error' });
      },
    });
    const { totals, failure } = await read(await stream(await clientTo(address)));
    expect(totals).to.deep.equal([1]);
    expect(failure).to.include({ code: Status.INTERNAL, origin: 'server', cancelledByUs: false });
  });

  it('tries one other address before the first response', async () => {
    const unavailable = await serve({
      transmitirBusqueda: (call) => call.emit('error', { code: Status.UNAVAILABLE, details: '' }),
    });
    const available = await serve({
      transmitirBusqueda: (call) => {
        call.write(part(7));
        call.end();
      },
    });
    const client = await clientTo(`${unavailable},${available}`);
    for (let i = 0; i < 3; i++) {
      const result = await stream(client);
      expect(result).to.include({ kind: 'verdict', address: available });
      expect((await read(result)).totals).to.deep.equal([7]);
    }
  });

  it('is unreachable when the address refuses connections', async () => {
    const client = await clientTo('127.0.0.1:1');
    expect(await stream(client)).to.include({ kind: 'unreachable', proxyError: 'connection_refused' });
  });

  it('is unreachable when no response comes in time, and keeps the breaker closed', async () => {
    const address = await serve({ transmitirBusqueda: () => undefined });
    const client = await clientTo(address, { deadlineMs: 100 });
    expect(await stream(client)).to.include({ kind: 'unreachable', proxyError: 'http_response_timeout' });
    expect(client.addresses()).to.deep.equal([{ address, breaker: 'closed' }]);
  });

  it('has no deadline after the first response', async () => {
    const finish = Promise.withResolvers<void>();
    const address = await serve({
      transmitirBusqueda: (call) => {
        call.write(part(1));
        void finish.promise.then(() => {
          call.write(part(2));
          call.end();
        });
      },
    });
    const result = await stream(await clientTo(address, { deadlineMs: 100 }));
    // This timer starts after the deadline's timer and is as long: when it fires, the deadline has passed.
    setTimeout(finish.resolve, 100);
    expect((await read(result)).totals).to.deep.equal([1, 2]);
  });

  it('breaks when the connection is lost between responses', async () => {
    const address = await serveHttp2((http2) => {
      http2.on('error', () => undefined);
      http2.respond({ ':status': 200, 'content-type': 'application/grpc' });
      const message = transmitir.response.toBinary(part(1));
      const frame = Buffer.concat([Buffer.alloc(5), message]);
      frame.writeUInt32BE(message.length, 1);
      http2.write(frame, () => setImmediate(() => http2.session?.destroy()));
    });
    const { totals, failure } = await read(await stream(await clientTo(address)));
    expect(totals).to.deep.equal([1]);
    expect(failure).to.include({ origin: 'client', sent: true, cancelledByUs: false });
  });

  it('holds back the sender while its reader does not read', async () => {
    let written = 0;
    const address = await serve({
      transmitirBusqueda: async (call) => {
        while (written < 2_000) if (!call.write(part(written++, 40_000))) await once(call, 'drain');
        call.end();
      },
    });
    const result = await stream(await clientTo(address));
    const iterator = responses(result)[Symbol.asyncIterator]();
    await iterator.next();
    let before: number;
    do {
      before = written;
      for (let i = 0; i < 200; i++) await turn();
    } while (written !== before);
    expect(written).to.be.below(150);
    let count = 1;
    while (!(await iterator.next()).done) count++;
    expect(count).to.equal(2_000);
  });

  it('does not hold up other calls when its reader is slow', async () => {
    const address = await serve({
      transmitirBusqueda: async (call) => {
        for (let i = 0; i < 200; i++) if (!call.write(part(i, 40_000))) await once(call, 'drain');
        call.end();
      },
    });
    const client = await clientTo(address);
    const unreadStreams = [];
    for (let i = 0; i < 20; i++) unreadStreams.push(await stream(client));
    expect((await read(await stream(client))).totals).to.have.lengthOf(200);
    for (const result of unreadStreams) expect((await read(result)).totals).to.have.lengthOf(200);
  });

  it('cancels the call when its reader stops or its signal is aborted', async () => {
    const cancelled: (() => void)[] = [];
    const address = await serve({
      transmitirBusqueda: (call) => {
        call.once('cancelled', () => cancelled.shift()?.());
        call.write(part(1));
      },
    });
    const client = await clientTo(address);
    const nextCancel = () => new Promise<void>((resolve) => cancelled.push(resolve));

    const cancelledByReader = nextCancel();
    for await (const _part of responses(await stream(client))) break;
    await cancelledByReader;

    const cancelledByAbort = nextCancel();
    const abort = new AbortController();
    const reading = read(await stream(client, abort.signal));
    abort.abort();
    expect((await reading).failure).to.include({ code: Status.CANCELLED, cancelledByUs: true });
    await cancelledByAbort;

    const cancelledUnread = nextCancel();
    const never = new AbortController();
    await stream(client, never.signal);
    never.abort();
    await cancelledUnread;
  });

  it('is gone when its signal is aborted before the first response', async () => {
    const entered = Promise.withResolvers<void>();
    const address = await serve({ transmitirBusqueda: () => entered.resolve() });
    const abort = new AbortController();
    const asking = stream(await clientTo(address), abort.signal);
    await entered.promise;
    abort.abort();
    expect(await asking).to.deep.equal({ kind: 'gone' });
    expect(await stream(await clientTo(address), abort.signal)).to.deep.equal({ kind: 'gone' });
  });

  describe('in both directions', () => {
    const echo: Live = (call) => {
      call.sendMetadata(new Metadata());
      call.on('data', ({ numero }: BuscarEnVivoRequest) => call.write({ numero, respuesta: undefined }));
      call.on('end', () => call.end());
    };

    it('sends each request as it comes, and ends after the last', async () => {
      const client = await clientTo(await serve({ buscarEnVivo: echo }));
      const answered: (() => void)[] = [];
      async function* requests() {
        for (let numero = 1; numero <= 3; numero++) {
          yield { numero, consulta: undefined };
          await new Promise<void>((resolve) => answered.push(resolve));
        }
      }
      const result = await client.stream({ method: enVivo, requests: requests() }, options());
      if (result.kind !== 'verdict' || !result.ok) throw new Error(result.kind);
      const numbers: number[] = [];
      for await (const { numero } of result.response) {
        numbers.push(numero);
        answered.shift()?.();
      }
      expect(numbers).to.deep.equal([1, 2, 3]);
    });

    it('takes no request before the service responds, so that another address can be tried', async () => {
      const unavailable = await serve({
        buscarEnVivo: (call) => call.emit('error', { code: Status.UNAVAILABLE, details: '' }),
      });
      const available = await serve({ buscarEnVivo: echo });
      const client = await clientTo(`${unavailable},${available}`);
      for (let i = 0; i < 3; i++) {
        async function* requests() {
          yield { numero: 5, consulta: undefined };
        }
        const result = await client.stream({ method: enVivo, requests: requests() }, options());
        if (result.kind !== 'verdict' || !result.ok) throw new Error(result.kind);
        const numbers: number[] = [];
        for await (const { numero } of result.response) numbers.push(numero);
        expect(numbers).to.deep.equal([5]);
      }
    });

    it('breaks with the final status of the handler', async () => {
      const client = await clientTo(
        await serve({
          buscarEnVivo: (call) => {
            call.sendMetadata(new Metadata());
            call.once('data', () =>
              call.emit('error', { code: Status.INVALID_ARGUMENT, details: 'patron-no-valido: No' }),
            );
          },
        }),
      );
      const never = new AbortController();
      async function* requests() {
        yield { numero: 5, consulta: undefined };
        await once(never.signal, 'abort');
      }
      const result = await client.stream({ method: enVivo, requests: requests() }, options());
      if (result.kind !== 'verdict' || !result.ok) throw new Error(result.kind);
      const { response } = result;
      const broken = await (async () => {
        for await (const _response of response);
      })().catch((error: unknown) => error);
      never.abort();
      expect(broken).to.be.instanceOf(StreamBrokenError);
      expect((broken as StreamBrokenError).failure).to.include({
        code: Status.INVALID_ARGUMENT,
        message: 'patron-no-valido: No',
        origin: 'server',
      });
    });
  });
});
