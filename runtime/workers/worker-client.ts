import { type ResourceLimits, Worker } from 'node:worker_threads';
import {
  type Answer,
  type Argument,
  type FromWorker,
  fromFailed,
  type Protocol,
  type RequestName,
  type ToWorker,
} from './messages.ts';

/** The thread ended before it answered. `cause` is the error that ended it, if there was one. */
export class WorkerEndedError extends Error {
  override readonly name = 'WorkerEndedError';
}

export interface WorkerListener<Event> {
  onEvent?(event: Event): void;
  /** Called once, after all events, when the thread ends without having been stopped. */
  onEnd?(error: WorkerEndedError): void;
}

/** Limits the young generation of a worker's heap to 4 MB. V8's own choice costs 16 to 48 MB that it never returns. */
export const smallHeap: ResourceLimits = { maxYoungGenerationSizeMb: 4 };

/**
 * The client's side of a worker thread. Imports next to nothing, so that a process can start its worker first.
 * Requests are answered in any order; the end of the thread rejects all that are pending.
 */
export class WorkerClient<P extends Protocol> {
  readonly #worker: Worker;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #exited = Promise.withResolvers<void>();
  #lastId = 0;
  #cause: unknown;
  #ended: WorkerEndedError | undefined;
  #stopped: Promise<void> | undefined;
  #listener: WorkerListener<P['event']> | undefined;
  /** Events, and the end, from before `listen`. */
  #early: ((listener: WorkerListener<P['event']>) => void)[] = [];

  constructor(module: URL, resourceLimits: ResourceLimits = {}) {
    this.#worker = new Worker(module, { resourceLimits });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (cause) => {
      this.#cause = cause;
    });
    this.#worker.on('exit', () => this.#exit());
  }

  /** Passes on all events since the start. Until then, the worker does not keep the process running if `unref` was called. */
  listen(listener: WorkerListener<P['event']>): void {
    this.#worker.ref();
    this.#listener = listener;
    for (const tell of this.#early.splice(0)) tell(listener);
  }

  unref(): this {
    this.#worker.unref();
    return this;
  }

  /**
   * Resolves with the answer. Rejects with the handler's error (see `fromFailed`), with `WorkerEndedError`, or, at once, with the reason
   * of `signal`, which also aborts the handler's signal.
   */
  async request<Name extends RequestName<P>>(
    name: Name,
    argument: Argument<P, Name>,
    signal?: AbortSignal,
  ): Promise<Answer<P, Name>> {
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = Promise.withResolvers<unknown>();
    const abort = (): void => {
      this.#post({ kind: 'abort', id });
      this.#take(id)?.reject(signal?.reason);
    };
    this.#pending.set(id, answered);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      this.#post({ kind: 'request', id, name, argument });
      return (await answered.promise) as Answer<P, Name>;
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Sends a request that gets no answer. An error of its handler ends the thread. */
  notify<Name extends RequestName<P>>(name: Name, argument: Argument<P, Name>): void {
    this.#post({ kind: 'request', id: undefined, name, argument });
  }

  /** Aborts what is under way and resolves when the thread has ended. */
  stop(): Promise<void> {
    if (this.#stopped === undefined) this.#post({ kind: 'stop' });
    this.#stopped ??= this.#exited.promise;
    return this.#stopped;
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'event':
        this.#tell((listener) => listener.onEvent?.(message.event));
        break;
      case 'answer':
        this.#take(message.id)?.resolve(message.value);
        break;
      case 'error':
        this.#take(message.id)?.reject(fromFailed(message.failure));
    }
  }

  #take(id: number): PromiseWithResolvers<unknown> | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #exit(): void {
    const ended = new WorkerEndedError('The worker has ended', { cause: this.#cause });
    this.#ended = ended;
    for (const { reject } of this.#pending.values()) reject(ended);
    this.#pending.clear();
    this.#exited.resolve();
    if (this.#stopped === undefined) this.#tell((listener) => listener.onEnd?.(ended));
  }

  #tell(tell: (listener: WorkerListener<P['event']>) => void): void {
    if (this.#listener === undefined) this.#early.push(tell);
    else tell(this.#listener);
  }
}
