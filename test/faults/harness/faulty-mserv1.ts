import { Server } from '@grpc/grpc-js';
import { openRoot } from '../../../filesystem/root.ts';
import { readConfig } from '../../../mserv1/config.ts';
import { createHandlers } from '../../../mserv1/handlers.ts';
import { ListadoServiceDefinition } from '../../../proto/gen/archivos/v1/listado.ts';
import { configOrExit } from '../../../runtime/env.ts';
import { runMicroservice } from '../../../runtime/microservice/microservice.ts';

// Runs mserv1 with three faults: a request for «veneno» kills it, a request for «lenta» waits for SIGUSR2, and SIGUSR2
// shuts its gRPC server down by force.

const config = configOrExit(readConfig);
const root = openRoot(config.root);
const handlers = createHandlers(root);
const shut = Promise.withResolvers<void>();

const servers = new Set<Server>();
const { bindAsync } = Server.prototype;
Server.prototype.bindAsync = function register(...options) {
  servers.add(this);
  return bindAsync.apply(this, options);
};
process.on('SIGUSR2', () => {
  for (const server of servers) server.forceShutdown();
  shut.resolve();
});

await runMicroservice({
  config,
  definition: ListadoServiceDefinition,
  handlers: {
    ...handlers,
    async listarArchivos(request, context) {
      if (request.ruta === 'veneno') process.kill(process.pid, 'SIGKILL');
      if (request.ruta === 'lenta') await shut.promise;
      return handlers.listarArchivos(request, context);
    },
  },
  source: root,
});
