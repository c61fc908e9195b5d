/**
 * Runs a listing service in a thread, so that it answers while the test blocks its own event loop. Posts its port, then
 * `asked` when a request arrives. Once the answer is sent, sets the shared number in `workerData` to 1.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { emptyPage, startListado } from './listado-server.ts';

const answered = workerData as Int32Array;

async function handle(answer: (error: null, page: typeof emptyPage) => void): Promise<void> {
  parentPort?.postMessage('asked');
  await delay(50);
  answer(null, emptyPage);
  await delay(50);
  Atomics.store(answered, 0, 1);
  Atomics.notify(answered, 0);
}

const { port } = await startListado({ handle: (_call, answer) => void handle(answer) });
parentPort?.postMessage(port);
