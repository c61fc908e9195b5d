/**
 * Measures calls without HTTP, by a plain grpc-js client, each call for another folder. Runs as a child process,
 * `grpc-client.ts ADDRESS`, and answers a `Job` with the number of calls per second.
 */

import { ListadoServiceDefinition, ListarArchivosRequest } from '../../../proto/gen/archivos/v1/listado.ts';
import { grpcClient } from '../../support/clients/grpc-client.ts';

export interface Job {
  readonly atOnce: number;
  readonly seconds: number;
  readonly limite: number;
  readonly folders: readonly string[];
}

const client = grpcClient(ListadoServiceDefinition, process.argv[2] ?? '', {
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
});

async function work({ atOnce, seconds, limite, folders }: Job): Promise<number> {
  let next = 0;
  let answered = 0;
  const began = performance.now();
  const running = () => performance.now() - began < seconds * 1000;
  const call = () =>
    new Promise<void>((resolve, reject) => {
      const ruta = folders[next++ % folders.length] ?? '';
      client.listarArchivos(ListarArchivosRequest.fromJSON({ ruta, limite }), (error) => {
        if (error !== null) return reject(error);
        if (running()) answered++;
        resolve();
      });
    });
  const loop = async () => {
    while (running()) await call();
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
  return answered / seconds;
}

process.on('message', (job: Job) => {
  work(job).then(
    (perSecond) => process.send?.({ perSecond }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
