import { startIndexWorker } from './index-worker/worker-client.ts';

// The workers load their modules on another core while this thread loads its own.
const worker = startIndexWorker();
const { configOrExit } = await import('../runtime/env.ts');
const { readConfig } = await import('./config.ts');
const config = configOrExit(readConfig);
worker.notify('begin', config.indexer);
const { runMserv2 } = await import('./service.ts');
await runMserv2(config, worker);
