import { availableParallelism } from 'node:os';
import { startScanWorker } from '../scan/worker-client.ts';

/** More scanners would only wait for this thread, which holds the index. */
const maxScanners = 2;

// The scanners load their modules while this thread loads its own.
const scanners = Array.from({ length: Math.min(availableParallelism(), maxScanners) }, startScanWorker);
const { serveIndex } = await import('./index-service.ts');
serveIndex(scanners);
