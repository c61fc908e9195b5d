import { openRoot } from '../filesystem/root.ts';
import { ListadoServiceDefinition } from '../proto/gen/archivos/v1/listado.ts';
import { configOrExit } from '../runtime/env.ts';
import { runMicroservice } from '../runtime/microservice/microservice.ts';
import { ChangeWatcher } from './change-watcher.ts';
import { readConfig } from './config.ts';
import { createHandlers } from './handlers.ts';

const config = configOrExit(readConfig);
const root = openRoot(config.root);
await runMicroservice({
  config,
  definition: ListadoServiceDefinition,
  handlers: createHandlers(root, new ChangeWatcher(root, { limit: config.watches })),
  source: root,
});
