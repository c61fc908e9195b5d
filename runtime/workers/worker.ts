import { parentPort } from 'node:worker_threads';
import {
  type Answer,
  type Argument,
  type FromWorker,
  type Protocol,
  type RequestName,
  type ToWorker,
  toFailed,
} from './messages.ts';

/** The handlers of one worker. */
export interface WorkerService<P extends Protocol> {
  readonly requests: {
    /** `signal` is aborted when the client no longer waits, or stops the worker. */
    readonly [Name in RequestName<P>]: (
      argument: Argument<P, Name>,
      signal: AbortSignal,
    ) => Answer<P, Name> | Promise<Answer<P, Name>>;
  };
  /** Runs before the thread ends. */
  stop?(): void | Promise<void>;
  /** Names the buffers of an answer that are transferred instead of copied. */
  buffersOf?(answer: unknown): ArrayBuffer[];
}

/** Reports an event to the client; `buffers` are transferred instead of copied. */
export type Emit<P extends Protocol> = (event: P['event'], buffers?: readonly ArrayBuffer[]) => void;

/** Serves the worker's side of a `WorkerClient` in this thread, until the client stops it. */
export function serveWorker<P extends Protocol>(open: (emit: Emit<P>) => WorkerService<P>): void {
  const port = parentPort;
  if (port === null) throw new Error('This module runs in a worker thread');
  const running = new Map<number, AbortController>();
  const post = (message: FromWorker, buffers: readonly ArrayBuffer[] = []): void =>
    port.postMessage(message, buffers);
  const service = open((event, buffers) => post({ kind: 'event', event }, buffers));
  const handlers = service.requests as Readonly<
    Record<string, (argument: unknown, signal: AbortSignal) => unknown>
  >;
  const never = new AbortController().signal;

  function handle(name: string, argument: unknown, signal: AbortSignal): unknown {
    const handler = handlers[name];
    if (handler === undefined) throw new TypeError(`The worker has no request ${name}`);
    return handler(argument, signal);
  }

  async function answer(id: number, name: string, argument: unknown): Promise<void> {
    const abort = new AbortController();
    running.set(id, abort);
    try {
      const value = await handle(name, argument, abort.signal);
      post({ kind: 'answer', id, value }, service.buffersOf?.(value));
    } catch (error) {
      post({ kind: 'error', id, failure: toFailed(error) });
    } finally {
      running.delete(id);
    }
  }

  async function stop(): Promise<void> {
    for (const abort of running.values()) abort.abort();
    await service.stop?.();
    port?.close();
  }

  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'request':
        if (message.id === undefined) handle(message.name, message.argument, never);
        else void answer(message.id, message.name, message.argument);
        break;
      case 'abort':
        running.get(message.id)?.abort();
        break;
      case 'stop':
        void stop();
    }
  });
}
