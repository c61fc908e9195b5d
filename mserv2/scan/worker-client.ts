import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Command, Message } from './messages.ts';
import type { ScanWorkerData } from './worker.ts';

/** Of a thread's heap, the part where what is young lives. Node's own choice costs 16 to 48 MB that are never given back. */
export const maxYoungGenerationSizeMb = 4;

/** A scanner, seen from the thread that commands it. */
export class ScanWorkerClient {
  readonly #worker: Worker;
  readonly #exited: Promise<unknown>;

  /** Loads what it runs, and waits. An error of the thread is nobody's to handle here: it ends this thread, too. */
  constructor() {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb },
    });
    this.#exited = once(this.#worker, 'exit');
    this.#worker.on('error', (error) => {
      throw error;
    });
  }

  /** To be called once, before `send`. `onMessage` is called in the order in which things were seen. */
  begin(data: ScanWorkerData, onMessage: (message: Message) => void): void {
    this.#worker.on('message', onMessage);
    this.#worker.postMessage(data);
  }

  send(command: Command): void {
    this.#worker.postMessage(command);
  }

  /** Resolves when the thread has ended, after a `stop` command. */
  async ended(): Promise<void> {
    await this.#exited;
  }
}
