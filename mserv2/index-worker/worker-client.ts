import { smallHeap, WorkerClient } from '../../runtime/workers/worker-client.ts';
import type { IndexProtocol } from './messages.ts';

export type IndexWorkerClient = WorkerClient<IndexProtocol>;

/** Starts a worker that loads its modules and waits for `begin`. It does not keep the process running before `listen`. */
export function startIndexWorker(): IndexWorkerClient {
  return new WorkerClient<IndexProtocol>(new URL('./worker.ts', import.meta.url), smallHeap).unref();
}
