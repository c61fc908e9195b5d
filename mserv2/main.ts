import { openRoot } from '../filesystem/root.ts';
import { BusquedaServiceDefinition, BusquedaServiceService } from '../proto/gen/archivos/v1/busqueda.ts';
import { configOrExit } from '../runtime/env.ts';
import { runMicroservice } from '../runtime/microservice.ts';
import { readConfig } from './config.ts';
import { createHandlers } from './handlers.ts';

const config = configOrExit(readConfig);
const root = openRoot(config.root);
await runMicroservice({
  config,
  definition: BusquedaServiceDefinition,
  service: BusquedaServiceService,
  protoFile: 'archivos/v1/busqueda.proto',
  handlers: createHandlers(root),
  source: root,
});
