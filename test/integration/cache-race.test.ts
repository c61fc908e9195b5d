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

/** A service whose answers and news come in the order that a test wants, by real gRPC. */
class Scripted implements AsyncDisposable {
  readonly #server = new Server();
  readonly #feeds = new Set<ServerWritableStream<unknown, VigilarCambiosResponse>>();
  readonly #beats: NodeJS.Timeout;
  numero = 1;
  asked = 0;
  /** Before each answer, which was read before. */
  onRead: () => Promise<void> = async () => undefined;

  constructor() {
    this.#server.addService(grpcServiceOf(ListadoServiceDefinition), {
      listarArchivos: async (
        _call: unknown,
        answer: (error: null, response: ListarArchivosResponse) => void,
      ) => {
        this.asked += 1;
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
        this.tell({ latidoMs: performance.now() });
      },
    });
    this.#beats = setInterval(() => this.tell({ latidoMs: performance.now() }), 100);
  }

  async start(): Promise<string> {
    const bound = Promise.withResolvers<number>();
    this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? bound.reject(error) : bound.resolve(port),
    );
    return `127.0.0.1:${await bound.promise}`;
  }

  get heard(): boolean {
    return this.#feeds.size > 0;
  }

  tell(news: Partial<VigilarCambiosResponse>): void {
    const reloj = { instancia: 'una', numero: this.numero };
    const message = VigilarCambiosResponse.fromPartial({ ...news, reloj });
    for (const feed of this.#feeds) feed.write(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beats);
    this.#server.forceShutdown();
  }
}

describe('A change between the reading of an answer and its being kept', () => {
  const read = async (answer: Promise<Response>): Promise<[string | null, string]> => {
    const got = await answer;
    return [got.headers.get('servido-por'), ((await got.json()) as string[])[0] ?? ''];
  };

  it('leaves nothing in the cache that is not so any more', async () => {
    await using service = new Scripted();
    await using it = await setUp({ running: [], env: { MSERV1_URL: await service.start() } });
    await it.start('gateway');
    await eventually(() => service.heard);
    const path = '/listar_archivos?formato=nombres';
    const ask = () => read(it.get(path));
    expect(await ask()).to.deep.equal(['grpc', 'leído con el 1']);
    await eventually(async () => (await ask())[0] === 'cache');

    service.numero = 2;
    service.tell({ carpetas: [''] });
    // What is told while the answer is on its way; the feed is heard before it comes.
    service.onRead = async () => {
      service.numero = 3;
      service.tell({ carpetas: [''] });
      const next = service.asked + 1;
      // The gateway has taken the news when it has taken a later call.
      service.onRead = async () => undefined;
      await read(it.get(`${path}&limite=${next}`));
    };
    await eventually(async () => (await ask())[1] !== 'leído con el 1');
    for (let n = 0; n < 3; n++) expect((await ask())[1]).to.equal('leído con el 3');
  });
});
