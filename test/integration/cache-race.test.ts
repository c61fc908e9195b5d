import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { expect } from 'chai';
import {
  ListadoServiceDefinition,
  ListarArchivosResponse,
  VigilarCambiosResponse,
} from '../../proto/gen/archivos/v1/listado.ts';
import { grpcServiceOf } from '../../runtime/grpc/service.ts';
import { eventually } from '../support/processes/eventually.ts';
import { setUp } from '../support/processes/set-up.ts';

/** Serves ListadoService over gRPC, with its answers and change events in the order that a test sets. */
class ScriptedListado implements AsyncDisposable {
  readonly #server = new Server();
  readonly #feeds = new Set<ServerWritableStream<unknown, VigilarCambiosResponse>>();
  readonly #heartbeats: NodeJS.Timeout;
  numero = 1;
  calls = 0;
  /** Runs between the reading of an answer and its sending. */
  onRead: () => Promise<void> = async () => undefined;

  constructor() {
    this.#server.addService(grpcServiceOf(ListadoServiceDefinition), {
      listarArchivos: async (
        _call: unknown,
        answer: (error: null, response: ListarArchivosResponse) => void,
      ) => {
        this.calls += 1;
        const nombre = `leído con el ${this.numero}`;
        const response = ListarArchivosResponse.fromPartial({
          archivos: [{ nombre, ruta: nombre, tipo: 1 }],
          completo: true,
          vigencia: { reloj: { instancia: 'una', numero: this.numero }, carpeta: '' },
        });
        await this.onRead();
        answer(null, response);
      },
      vigilarCambios: (call: ServerWritableStream<unknown, VigilarCambiosResponse>) => {
        this.#feeds.add(call);
        call.on('cancelled', () => this.#feeds.delete(call));
        this.report({ latidoMs: performance.now() });
      },
    });
    this.#heartbeats = setInterval(() => this.report({ latidoMs: performance.now() }), 100);
  }

  async start(): Promise<string> {
    const bound = Promise.withResolvers<number>();
    this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? bound.reject(error) : bound.resolve(port),
    );
    return `127.0.0.1:${await bound.promise}`;
  }

  get watched(): boolean {
    return this.#feeds.size > 0;
  }

  report(event: Partial<VigilarCambiosResponse>): void {
    const reloj = { instancia: 'una', numero: this.numero };
    const message = VigilarCambiosResponse.fromPartial({ ...event, reloj });
    for (const feed of this.#feeds) feed.write(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#heartbeats);
    this.#server.forceShutdown();
  }
}

describe('A change reported between the reading of an answer and its caching', () => {
  const read = async (answer: Promise<Response>): Promise<[string | null, string]> => {
    const got = await answer;
    return [got.headers.get('servido-por'), ((await got.json()) as string[])[0] ?? ''];
  };

  it('leaves no outdated answer in the cache', async () => {
    await using service = new ScriptedListado();
    await using it = await setUp({ running: [], env: { MSERV1_URL: await service.start() } });
    await it.start('gateway');
    await eventually(() => service.watched);
    const path = '/listar_archivos?formato=nombres';
    const ask = () => read(it.get(path));
    expect(await ask()).to.deep.equal(['grpc', 'leído con el 1']);
    await eventually(async () => (await ask())[0] === 'cache');

    service.numero = 2;
    service.report({ carpetas: [''] });
    // The next change is reported before the answer is sent, so its event arrives first.
    service.onRead = async () => {
      service.numero = 3;
      service.report({ carpetas: [''] });
      const next = service.calls + 1;
      // Once the gateway has the answer of a later call, it has the event too.
      service.onRead = async () => undefined;
      await read(it.get(`${path}&limite=${next}`));
    };
    await eventually(async () => (await ask())[1] !== 'leído con el 1');
    for (let n = 0; n < 3; n++) expect((await ask())[1]).to.equal('leído con el 3');
  });
});
