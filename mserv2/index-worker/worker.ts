import { availableParallelism } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { ScanWorkerClient } from '../scan/worker-client.ts';

/** More would only wait for this one, in which the index lives. */
const maxScanners = 2;

const port = parentPort;
if (port === null) throw new Error('This module runs in a worker thread');
// They load what they run while this thread does.
const scanners = Array.from(
  { length: Math.min(availableParallelism(), maxScanners) },
  () => new ScanWorkerClient(),
);
const { serveIndex } = await import('./indexing.ts');
serveIndex(port, scanners);
