import { smallHeap, WorkerClient } from '../../runtime/workers/worker-client.ts';
import type { ScanProtocol } from './messages.ts';

export type ScanWorkerClient = WorkerClient<ScanProtocol>;

/** Starts a worker that loads its modules and waits for `begin`. */
export function startScanWorker(): ScanWorkerClient {
  return new WorkerClient(new URL('./worker.ts', import.meta.url), smallHeap);
}
