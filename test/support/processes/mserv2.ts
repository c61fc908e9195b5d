import {
  BuscarArchivosRequest,
  type BuscarArchivosResponse,
  BusquedaServiceDefinition,
  EstadoIndice,
} from '../../../proto/gen/archivos/v1/busqueda.ts';
import { type GrpcClient, grpcClient } from '../clients/grpc-client.ts';
import { type Proc, startProcess } from './processes.ts';

/** A real mserv2 process with a gRPC client of it. */
export class Mserv2 implements AsyncDisposable {
  readonly proc: Proc;
  readonly #client: GrpcClient<typeof BusquedaServiceDefinition>;

  private constructor(proc: Proc) {
    this.proc = proc;
    this.#client = grpcClient(BusquedaServiceDefinition, `127.0.0.1:${proc.port}`);
  }

  static async start(root: string, env: Readonly<Record<string, string>> = {}): Promise<Mserv2> {
    return new Mserv2(await startProcess('mserv2/main.ts', { MSERV2_ROOT: root, ...env }));
  }

  /** Searches without a deadline; the test's time-out is the bound. */
  search(wish: Partial<BuscarArchivosRequest> = {}): Promise<BuscarArchivosResponse> {
    const request = BuscarArchivosRequest.fromPartial(wish);
    return new Promise((resolve, reject) => {
      this.#client.buscarArchivos(request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  }

  /** Searches until the index is `listo`; returns all answers, the last with that state. */
  async searchUntilReady(wish: Partial<BuscarArchivosRequest> = {}): Promise<BuscarArchivosResponse[]> {
    const answers: BuscarArchivosResponse[] = [];
    do answers.push(await this.search(wish));
    while (answers.at(-1)?.indice?.estado !== EstadoIndice.ESTADO_INDICE_LISTO);
    return answers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.proc.stop();
  }
}
