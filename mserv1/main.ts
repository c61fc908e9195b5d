import { openRoot } from '../filesystem/root.ts';
import { ListadoServiceDefinition } from '../proto/gen/archivos/v1/listado.ts';
import { runCommand } from '../runtime/command-line.mjs';
import { configOrExit } from '../runtime/env.ts';
import { runMicroservice } from '../runtime/microservice/microservice.ts';
import { ChangeWatcher } from './change-watcher.ts';
import { readConfig } from './config.ts';
import { createHandlers } from './handlers.ts';

const usage = `npm run mserv1
  Lists the files of a folder, FILES_ROOT or MSERV1_ROOT (examples/archivos): by gRPC at MSERV1_HOST and MSERV1_PORT
  (127.0.0.1:5001), and by RabbitMQ.
Everything is set by environment variables or .env: see .env.example.
`;

await runCommand({ usage }, async () => {
  const config = configOrExit(readConfig);
  const root = openRoot(config.root);
  await runMicroservice({
    config,
    definition: ListadoServiceDefinition,
    handlers: createHandlers(root, new ChangeWatcher(root, { limit: config.watches })),
    source: root,
  });
});
