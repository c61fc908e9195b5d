import { Worker } from 'node:worker_threads';
import { maxYoungGenerationSizeMb } from '../scan/worker-client.ts';
import type { Ask, IndexWorkerData, Reply } from './messages.ts';

export interface IndexThreadListener {
  onReply(reply: Reply): void;
  onError(error: unknown): void;
  /** It has ended, for whatever reason. Comes once, and last. */
  onExit(): void;
}

/** The index's thread, seen from the one that asks it. It imports next to nothing, so that it is the first thing that a process starts. */
export class IndexWorkerClient {
  readonly #worker: Worker;
  #listener: IndexThreadListener | undefined;
  /** What happened before somebody listened. */
  #early: ((listener: IndexThreadListener) => void)[] = [];

  constructor() {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb },
    });
    this.#worker.on('message', (reply: Reply) => this.#tell((listener) => listener.onReply(reply)));
    this.#worker.on('error', (error) => this.#tell((listener) => listener.onError(error)));
    this.#worker.on('exit', () => this.#tell((listener) => listener.onExit()));
    // A process that cannot start is not to be held by it.
    this.#worker.unref();
  }

  /** Crawls and answers from now on. To be called once. */
  begin(data: IndexWorkerData): void {
    this.post({ kind: 'begin', data });
  }

  /** Tells what has happened since the thread was made, too. Holds the process from now on, until the thread has ended. */
  listen(listener: IndexThreadListener): void {
    this.#worker.ref();
    this.#listener = listener;
    for (const tell of this.#early) tell(listener);
    this.#early = [];
  }

  post(ask: Ask): void {
    this.#worker.postMessage(ask);
  }

  #tell(tell: (listener: IndexThreadListener) => void): void {
    if (this.#listener === undefined) this.#early.push(tell);
    else tell(this.#listener);
  }
}
