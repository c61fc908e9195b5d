/** Tracks calls in flight, so that a stop can wait for them and, at its end, abort them. */
export interface CallsInFlight {
  enter(call: AbortController): void;
  leave(call: AbortController): void;
  /** Resolves when no call is in flight. */
  ended(): Promise<void>;
  /** Aborted when the server begins to stop, so that endless streams end. */
  readonly stopping: AbortSignal;
  stop(): void;
  abortAll(reason: Error): void;
}

export function createCallsInFlight(): CallsInFlight {
  const calls = new Set<AbortController>();
  const stopping = new AbortController();
  let waiting: (() => void)[] = [];
  return {
    stopping: stopping.signal,
    stop: () => stopping.abort(),
    enter(call) {
      calls.add(call);
    },
    leave(call) {
      calls.delete(call);
      if (calls.size > 0) return;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
    ended: () => (calls.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    abortAll(reason) {
      for (const call of calls) call.abort(reason);
    },
  };
}
