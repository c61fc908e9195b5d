/**
 * A listado service as a process of its own, to be stopped and killed. Prints its port. `ruta` says what it does:
 * `cuelga` never answers; anything else is answered with an empty page.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { ListadoServiceService } from '../../proto/gen/archivos/v1/listado.ts';

const server = new Server();
server.addService(ListadoServiceService, {
  listarArchivos: (call: { request: { ruta: string } }, answer: (error: null, response: object) => void) => {
    if (call.request.ruta === 'cuelga') return;
    answer(null, { archivos: [], completo: true, errores: [] });
  },
});
new HealthImplementation({ '': 'SERVING' }).addToServer(server);
server.bindAsync(`127.0.0.1:${process.argv[2] ?? 0}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
