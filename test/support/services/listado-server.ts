import { once } from 'node:events';
import {
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import {
  ListadoServiceDefinition,
  ListarArchivosRequest,
  ListarArchivosResponse,
} from '../../../proto/gen/archivos/v1/listado.ts';
import { grpcServiceOf } from '../../../runtime/grpc/service.ts';
import { type Method, methodOf } from '../../../runtime/method.ts';
import { healthService } from './health-rpcs.ts';

export type ListadoHandler = handleUnaryCall<ListarArchivosRequest, ListarArchivosResponse>;

export const listarArchivos = methodOf(ListadoServiceDefinition, 'listarArchivos');

/** ListarArchivos declared as not repeatable. */
export const notRepeatable: Method<ListarArchivosRequest, ListarArchivosResponse> = {
  ...listarArchivos,
  repeatable: false,
};

export const listRequest = (ruta = ''): ListarArchivosRequest => ListarArchivosRequest.fromPartial({ ruta });
export const emptyPage: ListarArchivosResponse = ListarArchivosResponse.fromPartial({ completo: true });

export interface ListeningServer {
  readonly port: number;
  readonly address: string;
  /** Stops at once; calls in flight are aborted. */
  stop(): Promise<void>;
}

export interface ListadoOptions {
  readonly handle?: ListadoHandler;
  /** Status that `grpc.health.v1` reports; `none` leaves out that service. Default SERVING. */
  readonly health?: 'SERVING' | 'NOT_SERVING' | 'none';
  /** Default 127.0.0.1; IPv6 in brackets. */
  readonly host?: string;
  readonly port?: number;
}

/** Starts a plain grpc-js server of ListadoService; only the contract is the product's. */
export async function startListado(
  options: ListadoOptions = {},
): Promise<ListeningServer & { server: Server }> {
  const {
    handle = (_call, answer) => answer(null, emptyPage),
    health = 'SERVING',
    host = '127.0.0.1',
    port: wanted = 0,
  } = options;
  const server = new Server();
  server.addService(grpcServiceOf(ListadoServiceDefinition), { listarArchivos: handle });
  const check: handleUnaryCall<object, object> = (_call, answer) => answer(null, { status: health });
  if (health !== 'none') server.addService(healthService, { Check: check });
  const bound = Promise.withResolvers<number>();
  server.bindAsync(`${host}:${wanted}`, ServerCredentials.createInsecure(), (error, port) => {
    if (error === null) bound.resolve(port);
    else bound.reject(error);
  });
  const port = await bound.promise;
  return { server, port, address: `${host}:${port}`, stop: async () => server.forceShutdown() };
}

/** Starts an HTTP/2 server; it speaks gRPC only if `answer` does. */
export async function startHttp2(
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
): Promise<ListeningServer> {
  const server = createServer();
  const sessions = new Set<Http2Session>();
  server.on('session', (session) => sessions.add(session));
  // Tests break sessions on purpose.
  server.on('sessionError', () => undefined);
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    answer(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    for (const session of sessions) session.destroy();
    server.close();
  };
  return { port, address: `127.0.0.1:${port}`, stop };
}
