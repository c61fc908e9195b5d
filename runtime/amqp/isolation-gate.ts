import { backOff } from './back-off.ts';

/**
 * Pauses the work queue while the isolation queue holds anything. Otherwise a request that kills its worker would be
 * counted, at each of its tries, against all requests delivered beside it.
 */
export interface IsolationGate {
  /** Whether the isolation queue is known to be empty, so that the work queue may be consumed. */
  readonly open: boolean;
  /** Handles a delivery from the isolation queue. */
  take(handle: () => Promise<void>): Promise<void>;
  /** Runs a request's handler; an isolated request's only while no other handler runs. */
  run<Result>(isolated: boolean, handler: () => Promise<Result>): Promise<Result>;
  /** Closes the gate after a lost connection: the messages held on it are in their queues again. */
  reset(): void;
}

export interface IsolationGateOptions {
  /** Returns how many messages wait in the isolation queue; rejects while that is unknown. */
  depth(): Promise<number>;
  onChange(): void;
  /** Ends the gate. */
  readonly signal: AbortSignal;
}

/** The gate is closed until `reset` was called once. */
export function createIsolationGate({ depth, onChange, signal }: IsolationGateOptions): IsolationGate {
  let open = false;
  let looking = false;
  let isolated = 0;
  let running = 0;
  /** Number of the connection; a depth seen on an earlier one does not count. */
  let connection = 0;
  let onQuiet = Promise.withResolvers<void>();

  const begin = (): void => {
    if (!open) return;
    open = false;
    onChange();
  };

  /** Asks for the depth until the queue is empty. Another worker may take its messages, so no delivery would tell. */
  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    let attempt = 0;
    while (!open && isolated === 0 && !signal.aborted) {
      const seenOn = connection;
      const waiting = await depth().catch(() => undefined);
      if (waiting === 0 && isolated === 0 && seenOn === connection) open = true;
      else await backOff(attempt, signal);
      // Without a broker there is nothing to spare: ask again as soon as it is back.
      attempt = waiting === undefined ? 0 : attempt + 1;
    }
    looking = false;
    if (open) onChange();
  }

  return {
    get open() {
      return open;
    },
    async take(handle) {
      isolated += 1;
      begin();
      try {
        await handle();
      } finally {
        isolated -= 1;
        void look();
      }
    },
    async run(alone, handler) {
      if (alone) {
        while (running > 0) await onQuiet.promise;
        return handler();
      }
      running += 1;
      try {
        return await handler();
      } finally {
        running -= 1;
        if (running === 0) {
          onQuiet.resolve();
          onQuiet = Promise.withResolvers();
        }
      }
    },
    reset() {
      connection += 1;
      begin();
      void look();
    },
  };
}
