import { openRoot } from '../filesystem/root.ts';
import { BusquedaServiceDefinition } from '../proto/gen/archivos/v1/busqueda.ts';
import { createLogger } from '../runtime/log.ts';
import { runMicroservice } from '../runtime/microservice/microservice.ts';
import type { Config } from './config.ts';
import { createHandlers } from './handlers.ts';
import { createIndexer } from './index-worker/supervisor.ts';
import type { IndexWorkerClient } from './index-worker/worker-client.ts';

/** Runs mserv2 until it is told to stop. @param worker has begun with the same configuration */
export async function runMserv2(config: Config, worker: IndexWorkerClient): Promise<void> {
  const root = openRoot(config.root);
  const indexer = createIndexer(config.indexer, createLogger(config.log), worker);
  await runMicroservice({
    config,
    definition: BusquedaServiceDefinition,
    handlers: createHandlers(indexer, indexer.changeWatcher),
    source: {
      start: () => indexer.start(),
      check: () => root.check(),
      close: () => indexer.stop(),
    },
  });
}
