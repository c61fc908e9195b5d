import { once } from 'node:events';
import { type CallOptions, type Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';
import { pino } from 'pino';
import { metadataOf } from '../../../gateway/calls/grpc-call.ts';
import {
  ListadoServiceDefinition,
  ListarArchivosRequest,
  ListarArchivosResponse,
  RecorrerArchivosRequest,
} from '../../../proto/gen/archivos/v1/listado.ts';
import { ConfigError } from '../../../runtime/env.ts';
import { StatusError } from '../../../runtime/errors.ts';
import { createGrpcServer, type GrpcServer } from '../../../runtime/grpc/server.ts';
import { type Handler, servedBy } from '../../../runtime/handlers.ts';
import { Status } from '../../../runtime/status.ts';
import { type GrpcClient, grpcClient } from '../../support/clients/grpc-client.ts';
import { eventually } from '../../support/processes/eventually.ts';
import { runPython } from '../../support/processes/python.ts';
import { healthService } from '../../support/services/health-rpcs.ts';

const folder = (ruta = ''): ListarArchivosRequest => ListarArchivosRequest.fromPartial({ ruta });
const page = (siguiente?: string): ListarArchivosResponse =>
  ListarArchivosResponse.fromPartial({ siguiente });
const longTimeMs = 10 * 60_000;

type ListarHandler = Handler<ListarArchivosRequest, ListarArchivosResponse>;

interface Service {
  readonly server: GrpcServer;
  readonly client: GrpcClient<typeof ListadoServiceDefinition>;
  /** The parsed lines of the log. */
  readonly lines: Record<string, unknown>[];
  list(
    request?: ListarArchivosRequest,
    metadata?: Metadata,
    options?: CallOptions,
  ): Promise<ListarArchivosResponse>;
}

const opened: (() => void | Promise<void>)[] = [];

async function serve(handle: ListarHandler = async () => page(), graceMs = longTimeMs): Promise<Service> {
  const lines: Record<string, unknown>[] = [];
  const server = createGrpcServer({
    definition: ListadoServiceDefinition,
    ...servedBy(ListadoServiceDefinition, { listarArchivos: handle }),
    binding: { host: '127.0.0.1', port: 0, hostVariable: 'X_HOST', portVariable: 'X_PORT' },
    log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    graceMs,
  });
  opened.push(() => server.stop());
  await server.start();
  const client = grpcClient(ListadoServiceDefinition, `127.0.0.1:${server.port}`, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  opened.push(() => client.close());
  return {
    server,
    client,
    lines,
    list: (request = folder(), metadata = new Metadata(), options = {}) =>
      new Promise((resolve, reject) => {
        client.listarArchivos(request, metadata, options, (error, response) =>
          error ? reject(error) : resolve(response),
        );
      }),
  };
}

async function failureOf(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => {
      throw new Error('It was answered');
    },
    (error: ServiceError) => error,
  );
}

function rpcOf(service: typeof healthService, name: string): (typeof healthService)[string] {
  const rpc = Object.entries(service).find(([key]) => key === name)?.[1];
  if (rpc === undefined) throw new Error(`No rpc ${name}`);
  return rpc;
}

/** Calls a method of the health service. */
function ask(client: Client, rpc: (typeof healthService)[string], request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      rpc.path,
      rpc.requestSerialize,
      rpc.responseDeserialize,
      request,
      (error, response) => (error ? reject(error) : resolve(response)),
    );
  });
}

describe('The gRPC listener', () => {
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  it('answers, and logs one line per call with its request id', async () => {
    let seen = '';
    const { list, lines } = await serve(async ({ ruta }, { requestId }) => {
      seen = requestId;
      return page(ruta);
    });
    const metadata = new Metadata();
    metadata.set('x-request-id', 'abc-123');
    expect(await list(folder('mañana'), metadata)).to.deep.equal(page('mañana'));
    expect(seen).to.equal('abc-123');
    const calls = lines.filter(({ msg }) => msg === 'call');
    expect(calls).to.have.length(1);
    expect(calls[0]).to.include({
      requestId: 'abc-123',
      transport: 'grpc',
      method: 'archivos.v1.ListadoService/ListarArchivos',
      code: 'OK',
    });
  });

  for (const id of ['', 'a b', 'x'.repeat(65), '"}{"msg":"forged"']) {
    it(`replaces the invalid request id ${JSON.stringify(id.slice(0, 20))}`, async () => {
      let seen = id;
      const { list } = await serve(async (_request, { requestId }) => {
        seen = requestId;
        return page();
      });
      const metadata = new Metadata();
      metadata.set('x-request-id', id);
      await list(folder(), metadata);
      expect(seen).to.match(/^[0-9a-f-]{36}$/);
    });
  }

  it('tells the handler whether the request comes from a solicitud', async () => {
    const seen: boolean[] = [];
    const { list } = await serve(async (_request, { queued }) => {
      seen.push(queued);
      return page();
    });
    const call = { requestId: 'a', traceparent: '', deadlineMs: 1_000, signal: new AbortController().signal };
    await list(folder(), metadataOf(call));
    await list(folder(), metadataOf({ ...call, queued: true }));
    expect(seen).to.deep.equal([false, true]);
  });

  it('returns the status that the handler throws', async () => {
    const { list } = await serve(async () => {
      throw new StatusError(Status.NOT_FOUND, 'ruta-no-existe', 'There is no «ñandú»');
    });
    expect(await failureOf(list())).to.include({
      code: Status.NOT_FOUND,
      details: 'ruta-no-existe: There is no «ñandú»',
    });
  });

  it('hides the details of a bug from the client, and logs them', async () => {
    const { list, lines } = await serve(() => {
      throw new TypeError('cannot read /home/secret');
    });
    const failure = await failureOf(list());
    expect(failure).to.include({ code: Status.INTERNAL, details: 'error-interno: Internal error' });
    expect(JSON.stringify(lines)).to.include('cannot read /home/secret').and.include('grpc-server.test.ts');
  });

  it('carries messages above the 4 MiB that gRPC allows by default', async () => {
    const { list } = await serve(async ({ ruta }) => page(ruta));
    const long = 'x'.repeat(20 * 2 ** 20);
    expect((await list(folder(long))).siguiente?.length).to.equal(long.length);
  });

  it('refuses a request of more than 64 MiB, and goes on', async () => {
    const { list } = await serve();
    expect(await failureOf(list(folder('x'.repeat(64 * 2 ** 20))))).to.include({
      code: Status.RESOURCE_EXHAUSTED,
    });
    expect(await list()).to.deep.equal(page());
  });

  it('answers UNIMPLEMENTED for a stream that has no handler', async () => {
    const { client } = await serve();
    const stream = client.recorrerArchivos(RecorrerArchivosRequest.fromJSON({}));
    const [error] = await once(stream.resume(), 'error').catch((thrown) => [thrown]);
    expect(error).to.include({ code: Status.UNIMPLEMENTED });
  });

  it("aborts the handler's signal when the client's deadline passes", async () => {
    const aborted = Promise.withResolvers<unknown>();
    const { list } = await serve(async (_request, { signal }) => {
      await once(signal, 'abort');
      aborted.resolve(signal.reason);
      return page();
    });
    const failure = await failureOf(list(folder(), undefined, { deadline: Date.now() + 100 }));
    expect(failure.code).to.equal(Status.DEADLINE_EXCEEDED);
    expect(await aborted.promise).to.be.instanceOf(StatusError);
  });

  it("aborts the handler's signal when the client cancels", async () => {
    const entered = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<unknown>();
    const { client, lines } = await serve(async (_request, { signal }) => {
      entered.resolve();
      await once(signal, 'abort');
      aborted.resolve(signal.reason);
      signal.throwIfAborted();
      return page();
    });
    const call = client.listarArchivos(folder(), () => {});
    await entered.promise;
    call.cancel();
    expect(await aborted.promise).to.include({ code: Status.CANCELLED });
    await new Promise(setImmediate);
    expect(lines.find(({ msg }) => msg === 'call')).to.include({ code: 'CANCELLED' });
  });

  describe('Health', () => {
    const check = rpcOf(healthService, 'Check');
    const watch = rpcOf(healthService, 'Watch');

    it('reports the status of the process and of its service, and its clock', async () => {
      const { server, client } = await serve();
      const healthOf = async (service: string) => {
        const { clockMs, ...health } = (await ask(client, check, { service })) as { clockMs: number };
        expect(clockMs).to.be.closeTo(Date.now(), 60_000);
        return health;
      };
      for (const service of ['', 'archivos.v1.ListadoService']) {
        expect(await healthOf(service)).to.deep.equal({ status: 'SERVING' });
      }
      expect((await failureOf(healthOf('archivos.v1.Otro'))).code).to.equal(Status.NOT_FOUND);
      server.setServing(false);
      expect(await healthOf('')).to.deep.equal({ status: 'NOT_SERVING' });
      server.setServing(false, 'raiz-no-disponible');
      expect(await healthOf('')).to.deep.equal({ status: 'NOT_SERVING', reason: 'raiz-no-disponible' });
    });

    it('lists the status of every known service', async () => {
      const { client } = await serve();
      const statuses = { '': { status: 'SERVING' }, 'archivos.v1.ListadoService': { status: 'SERVING' } };
      expect(await ask(client, rpcOf(healthService, 'List'), {})).to.deep.equal({ statuses });
    });

    it('reports SERVICE_UNKNOWN for an unknown service, and each change of a known one once', async () => {
      const { server, client } = await serve();
      const [unknown, known] = ['archivos.v1.Otro', 'archivos.v1.ListadoService'].map((service) => {
        const { path, requestSerialize, responseDeserialize } = watch;
        const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
          service,
        });
        const reported: unknown[] = [];
        stream.on('error', () => {}).on('data', ({ status }) => reported.push(status));
        return { stream, reported };
      });
      if (unknown === undefined || known === undefined) throw new Error('there should be two streams');
      await Promise.all([once(unknown.stream, 'data'), once(known.stream, 'data')]);
      for (const serving of [false, false, true]) server.setServing(serving);
      await eventually(() => known.reported.length >= 3);
      expect(known.reported).to.deep.equal(['SERVING', 'NOT_SERVING', 'SERVING']);
      expect(unknown.reported).to.deep.equal(['SERVICE_UNKNOWN']);
      for (const { stream } of [unknown, known]) stream.cancel();
    });

    it('reports NOT_SERVING to its watchers when a stop begins, and does not delay the stop', async () => {
      const { server, client } = await serve();
      const stream = client.makeServerStreamRequest(
        watch.path,
        watch.requestSerialize,
        watch.responseDeserialize,
        { service: '' },
      );
      stream.on('error', () => {});
      expect(await once(stream, 'data')).to.deep.equal([{ status: 'SERVING' }]);
      const next = once(stream, 'data');
      await server.stop();
      expect(await next).to.deep.equal([{ status: 'NOT_SERVING' }]);
    });
  });

  for (const version of ['v1', 'v1alpha']) {
    it(`is called by a client in Python that knows it only by reflection ${version}`, async () => {
      const { server, lines } = await serve(async ({ ruta }) => page(ruta));
      const found = await runPython('test/support/clients/reflection-client.py', [
        `127.0.0.1:${server.port}`,
        version,
      ]);
      const [entrada, vigilancia, timestamp] = [
        'archivos/v1/entrada.proto',
        'archivos/v1/vigilancia.proto',
        'google/protobuf/timestamp.proto',
      ];
      expect(found).to.deep.equal({
        services: [
          'archivos.v1.ListadoService',
          'grpc.health.v1.Health',
          'grpc.reflection.v1.ServerReflection',
        ],
        files: {
          'archivos/v1/listado.proto': [entrada, vigilancia],
          [entrada]: [timestamp],
          [vigilancia]: [],
          [timestamp]: [],
        },
        sameFile: Array(4).fill('archivos/v1/listado.proto'),
        idempotency: 1,
        answer: { siguiente: 'año' },
        errors: [5, 5, 5, 5, 5, 12],
        extensions: [],
      });
      expect(lines.filter(({ level }) => Number(level) > 30)).to.deep.equal([]);
    });
  }

  it('answers INVALID_ARGUMENT to a reflection request that cannot be decoded, and answers the next call', async () => {
    const { client, list } = await serve();
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const stream = client.makeBidiStreamRequest(path, Buffer.from, Buffer.from);
    stream.write(Buffer.from([0xff]));
    const [error] = await once(stream.resume(), 'error').catch((thrown) => [thrown]);
    expect(error.code).to.equal(Status.INVALID_ARGUMENT);
    expect(await list()).to.deep.equal(page());
  });

  describe('Stopping', () => {
    it('finishes calls in flight, and refuses new ones', async () => {
      const entered = Promise.withResolvers<void>();
      const finish = Promise.withResolvers<void>();
      const { server, list } = await serve(async () => {
        entered.resolve();
        await finish.promise;
        return page('last');
      });
      const last = list();
      await entered.promise;
      const stopped = server.stop();
      expect((await failureOf(list())).code).to.equal(Status.UNAVAILABLE);
      finish.resolve();
      expect((await last).siguiente).to.equal('last');
      await stopped;
    });

    it('aborts a call with UNAVAILABLE when the grace period is over', async () => {
      const entered = Promise.withResolvers<void>();
      const { server, list } = await serve(async (_request, { signal }) => {
        entered.resolve();
        await once(signal, 'abort');
        signal.throwIfAborted();
        return page();
      }, 1);
      const failure = failureOf(list());
      await entered.promise;
      await server.stop();
      expect(await failure).to.include({ code: Status.UNAVAILABLE });
    });

    it('cuts a call with CANCELLED when its handler ignores the abort', async () => {
      const entered = Promise.withResolvers<void>();
      const { server, list } = await serve(() => {
        entered.resolve();
        return new Promise(() => {});
      }, 1);
      const failure = failureOf(list());
      await entered.promise;
      await server.stop();
      expect((await failure).code).to.equal(Status.CANCELLED);
    });

    it('can be requested twice', async () => {
      const { server } = await serve();
      await server.stop();
      await server.stop();
    });
  });

  for (const [binding, variable, text] of [
    [{ host: '127.0.0.1' }, 'X_PORT', /port \d+ of 127\.0\.0\.1 is already in use/],
    [{ host: '192.0.2.1', port: 0 }, 'X_HOST', /not an address of this machine/],
  ] as const) {
    it(`names ${variable} when it cannot be bound`, async () => {
      const { server: holder } = await serve();
      const server = createGrpcServer({
        definition: ListadoServiceDefinition,
        methods: [],
        binding: { port: holder.port, hostVariable: 'X_HOST', portVariable: 'X_PORT', ...binding },
        log: pino({ level: 'silent' }),
      });
      const error: unknown = await server.start().catch((thrown) => thrown);
      if (!(error instanceof ConfigError)) throw error;
      expect(error.problems[0]?.variable).to.equal(variable);
      expect(error.problems[0]?.problem).to.match(text);
      await server.stop();
    });
  }
});
