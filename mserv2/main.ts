import { runCommand } from '../runtime/command-line.mjs';
import { startIndexWorker } from './index-worker/worker-client.ts';

const usage = `npm run mserv2
  Searches the files below a folder, FILES_ROOT or MSERV2_ROOT (examples/archivos): by gRPC at MSERV2_HOST and
  MSERV2_PORT (127.0.0.1:5002), and by RabbitMQ.
Everything is set by environment variables or .env: see .env.example.
`;

await runCommand({ usage }, async () => {
  // The workers load their modules on another core while this thread loads its own.
  const worker = startIndexWorker();
  const { configOrExit } = await import('../runtime/env.ts');
  const { readConfig } = await import('./config.ts');
  const config = configOrExit(readConfig);
  worker.notify('begin', config.indexer);
  const { runMserv2 } = await import('./service.ts');
  await runMserv2(config, worker);
});
