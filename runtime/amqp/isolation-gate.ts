import { backOff } from './back-off.ts';

/**
 * Keeps apart what must not die together: while the isolation queue holds anything, the work queue rests. Otherwise the
 * request that kills its worker would be counted against all those delivered beside it, at each of its tries.
 */
export interface IsolationGate {
  /** The isolation queue is known to be empty: the work queue may be taken from. */
  readonly over: boolean;
  /** Handles a delivery of the isolation queue. */
  take(handle: () => Promise<void>): Promise<void>;
  /** Runs a request's handler; an isolated one when no other runs. */
  run<Result>(isolated: boolean, handler: () => Promise<Result>): Promise<Result>;
  /** Nothing is known any more: a connection was lost, and what was held on it is in its queue again. */
  again(): void;
}

export interface IsolationGateOptions {
  /** How many messages wait in the isolation queue; rejects while that cannot be said. */
  depth(): Promise<number>;
  onChange(): void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** It is not `over` before `again` was called once. */
export function createIsolationGate({ depth, onChange, signal }: IsolationGateOptions): IsolationGate {
  let over = false;
  let looking = false;
  let isolated = 0;
  let running = 0;
  /** What was seen before a connection was lost says nothing of the next. */
  let connection = 0;
  let onQuiet = Promise.withResolvers<void>();

  const begin = (): void => {
    if (!over) return;
    over = false;
    onChange();
  };

  /** Until it is empty. Its messages may go to another worker, so to wait for them would not do. */
  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    let attempt = 0;
    while (!over && isolated === 0 && !signal.aborted) {
      const seenOn = connection;
      const waiting = await depth().catch(() => undefined);
      if (waiting === 0 && isolated === 0 && seenOn === connection) over = true;
      else await backOff(attempt, signal);
      // Without a broker there is nobody to spare: it looks as soon as there is one.
      attempt = waiting === undefined ? 0 : attempt + 1;
    }
    looking = false;
    if (over) onChange();
  }

  return {
    get over() {
      return over;
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
    again() {
      connection += 1;
      begin();
      void look();
    },
  };
}
