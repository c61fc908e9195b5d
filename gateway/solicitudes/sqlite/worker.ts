import { type MessagePort, parentPort } from 'node:worker_threads';
import { type Call, type Hello, type Result, toFailure } from './messages.ts';

interface Service {
  /** What `Lane.open` gives to the other side. */
  readonly hello: unknown;
  /** Answers a batch: one result per call, in their order. */
  run(calls: readonly Call[]): Result[];
  close(): void;
}

/** Asks a thread to finish. */
export const stopMessage = 'stop';

function thisThread(): MessagePort {
  if (parentPort === null) throw new Error('This module runs in a worker thread');
  return parentPort;
}

/** The worker's side of a `Lane`: opens, says so, answers batch after batch, and closes when it is asked to. */
export function serve(open: () => Service): void {
  const port = thisThread();
  const say = (hello: Hello) => port.postMessage(hello);
  try {
    const service = open();
    port.on('message', (message: readonly Call[] | typeof stopMessage) => {
      if (message !== stopMessage) return port.postMessage(service.run(message));
      service.close();
      port.close();
    });
    say({ ok: true, hello: service.hello });
  } catch (error) {
    say({ ok: false, failure: toFailure(error) });
  }
}
