import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';
import { pino } from 'pino';
import {
  BuscarEnVivoRequest,
  BuscarEnVivoResponse,
  BusquedaServiceDefinition,
  TransmitirBusquedaRequest,
  TransmitirBusquedaResponse,
} from '../../../proto/gen/archivos/v1/busqueda.ts';
import { StatusError } from '../../../runtime/errors.ts';
import { createGrpcServer, type GrpcServer } from '../../../runtime/grpc/server.ts';
import { type HandlersOf, servedBy } from '../../../runtime/handlers.ts';
import { Status } from '../../../runtime/status.ts';
import { type GrpcClient, grpcClient } from '../../support/clients/grpc-client.ts';
import { eventually } from '../../support/processes/eventually.ts';

type Handlers = Partial<HandlersOf<typeof BusquedaServiceDefinition>>;

interface Served {
  readonly server: GrpcServer;
  readonly client: GrpcClient<typeof BusquedaServiceDefinition>;
  /** Returns the log lines of calls. */
  calls(): Record<string, unknown>[];
}

const longTimeMs = 10 * 60_000;
const part = (total: number, size = 0): TransmitirBusquedaResponse =>
  TransmitirBusquedaResponse.create({ total, errores: [{ ruta: 'x'.repeat(size), codigo: 'E' }] });

describe('The gRPC listener for streams', () => {
  const opened: (() => void | Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  async function serve(handlers: Handlers, graceMs = longTimeMs): Promise<Served> {
    const lines: Record<string, unknown>[] = [];
    const complete = {
      buscarArchivos: () => Promise.reject(new StatusError(Status.UNIMPLEMENTED, undefined, '')),
      ...handlers,
    };
    const server = createGrpcServer({
      definition: BusquedaServiceDefinition,
      ...servedBy(BusquedaServiceDefinition, complete),
      binding: { host: '127.0.0.1', port: 0, hostVariable: 'X_HOST', portVariable: 'X_PORT' },
      log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
      graceMs,
    });
    opened.push(() => server.stop());
    await server.start();
    const client = grpcClient(BusquedaServiceDefinition, `127.0.0.1:${server.port}`);
    opened.push(() => client.close());
    return { server, client, calls: () => lines.filter(({ msg }) => msg === 'call') };
  }

  const ask = TransmitirBusquedaRequest.create({ consulta: {} });
  const query = (numero: number) => BuscarEnVivoRequest.create({ numero });
  const answer = (numero: number) => BuscarEnVivoResponse.create({ numero });

  async function received(stream: AsyncIterable<TransmitirBusquedaResponse>): Promise<{
    totals: (number | undefined)[];
    error: ServiceError | undefined;
  }> {
    const totals: (number | undefined)[] = [];
    try {
      for await (const { total } of stream) totals.push(total);
      return { totals, error: undefined };
    } catch (error) {
      return { totals, error: error as ServiceError };
    }
  }

  it('sends all responses in order, and logs their number', async () => {
    const { client, calls } = await serve({
      async *transmitirBusqueda() {
        for (let i = 0; i < 100; i++) yield part(i);
      },
    });
    const { totals, error } = await received(client.transmitirBusqueda(ask));
    expect(error).to.equal(undefined);
    expect(totals).to.deep.equal(Array.from({ length: 100 }, (_, i) => i));
    await eventually(() => calls().length === 1);
    expect(calls()[0]).to.include({
      method: 'archivos.v1.BusquedaService/TransmitirBusqueda',
      code: 'OK',
      messages: 100,
    });
  });

  it('sends an empty stream when the handler yields nothing', async () => {
    const { client } = await serve({ async *transmitirBusqueda() {} });
    expect(await received(client.transmitirBusqueda(ask))).to.deep.equal({ totals: [], error: undefined });
  });

  for (const before of [0, 3]) {
    it(`ends with the status that the handler throws after ${before} responses`, async () => {
      const { client, calls } = await serve({
        async *transmitirBusqueda() {
          for (let i = 0; i < before; i++) yield part(i);
          throw new StatusError(Status.NOT_FOUND, 'ruta-no-existe', 'No such folder: ñ %');
        },
      });
      const { totals, error } = await received(client.transmitirBusqueda(ask));
      expect(totals).to.have.lengthOf(before);
      expect(error).to.include({ code: Status.NOT_FOUND, details: 'ruta-no-existe: No such folder: ñ %' });
      await eventually(() => calls().length === 1);
      expect(calls()[0]).to.include({ code: 'NOT_FOUND' });
    });
  }

  it('hides the details of a bug from the client', async () => {
    const { client } = await serve({
      async *transmitirBusqueda() {
        yield part(1);
        throw new TypeError('cannot read /home/secret');
      },
    });
    const { error } = await received(client.transmitirBusqueda(ask));
    expect(error).to.include({ code: Status.INTERNAL, details: 'error-interno: Internal error' });
  });

  it('answers UNIMPLEMENTED for streams that have no handler', async () => {
    const { client } = await serve({});
    expect((await received(client.transmitirBusqueda(ask))).error).to.include({ code: Status.UNIMPLEMENTED });
    const live = client.buscarEnVivo();
    const [error] = await once(live.resume(), 'error').catch((thrown) => [thrown]);
    expect(error).to.include({ code: Status.UNIMPLEMENTED });
  });

  it('holds back the handler while the client does not read', async () => {
    let yielded = 0;
    const { client, calls } = await serve({
      async *transmitirBusqueda() {
        while (yielded < 2_000) yield part(yielded++, 40_000);
      },
    });
    const stream = client.transmitirBusqueda(ask);
    await once(stream, 'readable');
    let before: number;
    // The loop ends when the buffers between both sides are full.
    do {
      before = yielded;
      for (let i = 0; i < 200; i++) await turn();
    } while (yielded !== before);
    expect(yielded).to.be.below(100);
    expect((await received(stream)).totals).to.have.lengthOf(2_000);
    await eventually(() => calls().length === 1);
  });

  it('ends the handler when the client cancels', async () => {
    const cleaned = Promise.withResolvers<unknown>();
    const { client, calls } = await serve({
      async *transmitirBusqueda(_request, { signal }) {
        try {
          for (let i = 0; ; i++) yield part(i, 40_000);
        } finally {
          cleaned.resolve(signal.reason);
        }
      },
    });
    const stream = client.transmitirBusqueda(ask);
    stream.on('error', () => undefined);
    await once(stream, 'readable');
    stream.cancel();
    expect(await cleaned.promise).to.include({ code: Status.CANCELLED });
    await eventually(() => calls().length === 1);
    expect(calls()[0]).to.include({ code: 'CANCELLED' });
    expect(calls()[0]?.['messages']).to.be.within(1, 100);
  });

  it("ends a waiting handler when the client's deadline passes", async () => {
    const aborted = Promise.withResolvers<unknown>();
    const { client } = await serve({
      async *transmitirBusqueda(_request, { signal }) {
        yield part(1);
        await once(signal, 'abort');
        aborted.resolve(signal.reason);
        signal.throwIfAborted();
      },
    });
    const { totals, error } = await received(
      client.transmitirBusqueda(ask, { deadline: Date.now() + 200 } as never),
    );
    expect(totals).to.deep.equal([1]);
    expect(error).to.include({ code: Status.DEADLINE_EXCEEDED });
    expect(await aborted.promise).to.be.instanceOf(StatusError);
  });

  describe('in both directions', () => {
    it('sends response headers before the first request', async () => {
      const { client } = await serve({
        async *buscarEnVivo(requests) {
          for await (const { numero } of requests) yield answer(numero);
        },
      });
      const live = client.buscarEnVivo();
      await once(live, 'metadata');
      live.end();
      await once(live.resume(), 'end');
    });

    it('answers each request as it comes, and once more after the last', async () => {
      const { client } = await serve({
        async *buscarEnVivo(requests) {
          let last = 0;
          for await (const { numero } of requests) {
            last = numero;
            yield answer(numero * 10);
          }
          yield answer(last);
        },
      });
      const live = client.buscarEnVivo();
      for (const numero of [1, 2, 3]) {
        live.write(query(numero));
        const [response] = await once(live, 'data');
        expect(response).to.include({ numero: numero * 10 });
      }
      live.end();
      expect((await once(live, 'data'))[0]).to.include({ numero: 3 });
      await once(live.resume(), 'end');
    });

    it('sends responses after the handler has stopped reading requests', async () => {
      const { client } = await serve({
        async *buscarEnVivo(requests) {
          for await (const { numero } of requests) {
            yield answer(numero);
            break;
          }
          yield answer(100);
        },
      });
      const live = client.buscarEnVivo();
      live.write(query(1));
      const numbers: number[] = [];
      for await (const { numero } of live as AsyncIterable<BuscarEnVivoResponse>) numbers.push(numero);
      expect(numbers).to.deep.equal([1, 100]);
    });

    it('holds back a client that sends faster than the handler reads', async () => {
      const resume = Promise.withResolvers<void>();
      const { client } = await serve({
        async *buscarEnVivo(requests) {
          let count = 0;
          for await (const _request of requests) if (count++ === 0) await resume.promise;
          yield answer(count);
        },
      });
      const live = client.buscarEnVivo();
      const long = BuscarEnVivoRequest.create({ consulta: { nombre: 'x'.repeat(40_000) } });
      let taken = 0;
      for (let i = 0; i < 500; i++) live.write(long, () => void taken++);
      live.end();
      let before: number;
      do {
        before = taken;
        for (let i = 0; i < 500; i++) await turn();
      } while (taken !== before);
      expect(taken).to.be.below(400);
      resume.resolve();
      expect((await once(live, 'data'))[0]).to.include({ numero: 500 });
      await once(live.resume(), 'end');
    });

    it('ends the requests and aborts the running answer when the client cancels', async () => {
      const working = Promise.withResolvers<void>();
      const aborted = Promise.withResolvers<unknown>();
      const { client } = await serve({
        async *buscarEnVivo(requests, { signal }) {
          for await (const { numero } of requests) {
            yield answer(numero);
            if (numero === 1) continue;
            working.resolve();
            await once(signal, 'abort');
            aborted.resolve(signal.reason);
          }
        },
      });
      for (const numero of [1, 2]) {
        const live = client.buscarEnVivo();
        live.on('error', () => undefined);
        live.write(query(numero));
        await once(live, 'data');
        if (numero === 2) await working.promise;
        live.cancel();
      }
      expect(await aborted.promise).to.include({ code: Status.CANCELLED });
    });

    it('ends the requests and waits for the last answer when the process stops', async () => {
      const requested = Promise.withResolvers<void>();
      const { client, server } = await serve({
        async *buscarEnVivo(requests) {
          for await (const { numero } of requests) {
            requested.resolve();
            yield answer(numero);
          }
          yield answer(100);
        },
      });
      const live = client.buscarEnVivo();
      live.write(query(1));
      await requested.promise;
      const numbers: number[] = [];
      const reading = (async () => {
        for await (const { numero } of live as AsyncIterable<BuscarEnVivoResponse>) numbers.push(numero);
      })();
      await server.stop();
      await reading;
      expect(numbers).to.deep.equal([1, 100]);
    });
  });

  it('aborts a stream that outlasts the grace period', async () => {
    const { client, server } = await serve(
      {
        async *transmitirBusqueda(_request, { signal }) {
          yield part(1);
          await once(signal, 'abort');
          signal.throwIfAborted();
        },
      },
      50,
    );
    const stream = client.transmitirBusqueda(ask);
    const reading = received(stream);
    await once(stream, 'readable');
    await server.stop();
    expect((await reading).error).to.include({ code: Status.UNAVAILABLE });
  });
});
