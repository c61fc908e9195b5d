import { openRoot } from '../filesystem/root.ts';
import { BusquedaServiceDefinition, BusquedaServiceService } from '../proto/gen/archivos/v1/busqueda.ts';
import { configOrExit } from '../runtime/env.ts';
import { createLogger } from '../runtime/log.ts';
import { runMicroservice } from '../runtime/microservice.ts';
import { readConfig } from './config.ts';
import { createHandlers } from './handlers.ts';
import { createIndexer } from './indexer.ts';

const config = configOrExit(readConfig);
const root = openRoot(config.root);
const indexer = createIndexer(config.indexer, createLogger(config.log));
await runMicroservice({
  config,
  definition: BusquedaServiceDefinition,
  service: BusquedaServiceService,
  protoFile: 'archivos/v1/busqueda.proto',
  handlers: createHandlers(indexer),
  source: {
    check() {
      indexer.start();
      return root.check();
    },
    close: () => indexer.stop(),
  },
});
