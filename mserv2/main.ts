import { IndexWorkerClient } from './index-worker/worker-client.ts';

// Its threads take as long to load what they run as this one does: on another core, beside it.
const thread = new IndexWorkerClient();
const { configOrExit } = await import('../runtime/env.ts');
const { readConfig } = await import('./config.ts');
const config = configOrExit(readConfig);
thread.begin(config.indexer);
const { runMserv2 } = await import('./service.ts');
await runMserv2(config, thread);
