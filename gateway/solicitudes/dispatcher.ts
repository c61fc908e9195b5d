import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Caller } from '../calls/service-client.ts';
import { type Lease, leaseMs, underLease } from './lease.ts';
import type { Ledger, Solicitud } from './ledger.ts';

/**
 * Gets the open rows of one service answered, by whichever way works: RabbitMQ, or, while there is no usable broker, a
 * direct call. It sleeps until a row is due, a row was accepted, or one of the ways opened.
 */
export interface Dispatcher {
  /** There is something new to look at. Cheap, and may be called as often as one likes. */
  wake(): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** One way to get rows answered. */
export interface Way {
  readonly open: boolean;
  /** How many more rows it would take now. It has more room when a row is done. */
  readonly room: number;
  /** Deals with every row: publishes, calls, closes or puts it off, and tells the lease. It may leave some when it must. */
  dispatch(rows: readonly Solicitud[], lease: Lease, signal: AbortSignal): Promise<void>;
}

/** Whether an answer can come by RabbitMQ now. */
export interface BrokerUse {
  /** Requests can be published, and replies are taken. */
  readonly usable: boolean;
  /** Tells when one of its connections changes; gives the function that ends it. */
  subscribe(listener: () => void): () => void;
}

export interface DispatcherDeps {
  readonly service: string;
  readonly ledger: Ledger;
  /** The preferred one first. */
  readonly ways: readonly Way[];
  readonly broker: BrokerUse | undefined;
  readonly caller: Pick<Caller, 'onReachable'>;
  readonly log: Logger;
  readonly now: () => number;
}

const pauseAfterErrorMs = 1_000;
const mostIdsLogged = 4;
const tellAgainMs = 60_000;
/** What another gateway accepted, or held when it died, is found after this at the latest, though nobody told. */
const longestSleepMs = 5_000;
/** No row is put off by more than this. */
export const longestDeferMs = 60_000;
/** What a clock may be corrected by without anybody having set it back. */
const clockSlackMs = 1_000;
/** After a reconnect the broker gets this long to deliver again what it still holds. */
const settleMs = 5_000;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { service, ledger, ways, broker, caller, log, now } = deps;
  let state: 'idle' | 'running' | 'stopped' = 'stopped';
  let wanted = false;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  const stopping = new AbortController();
  let unsubscribe: readonly (() => void)[] = [];

  const underWay = new Set<Promise<void>>();
  /** What failed last, and when that was told, by the clock that nobody sets. */
  let told: { readonly failure: string; readonly at: number } | undefined;

  /** Once a minute: a broker that is frozen fails every try. */
  function tell(failure: string, details: { readonly err: unknown; readonly [key: string]: unknown }): void {
    const at = performance.now();
    const isKnown = told?.failure === failure && at - told.at < tellAgainMs;
    if (!isKnown) told = { failure, at };
    log[isKnown ? 'debug' : 'error']({ ...details, service }, `${failure}; it will be tried again`);
  }

  /** By how much the clock was ahead of the one that nobody sets, at the last look. */
  let ahead: number | undefined;

  /** What was put off by a clock that has been set back since, now or while we were not there, is due when it was meant. */
  async function mindTheClock(): Promise<void> {
    const before = ahead;
    const isAhead = now() - performance.now();
    if (before === undefined) await ledger.makeDue(service, now() + longestDeferMs);
    else if (isAhead < before - clockSlackMs) await ledger.makeDue(service, now());
    ahead = isAhead;
  }

  /**
   * Gives when to look again: a time, 0 for at once, or undefined for when something happens. It does not wait for the
   * rows that it sends on their way, so that a slow one holds up nobody but itself.
   */
  async function pass(): Promise<number | undefined> {
    const way = ways.find(({ open }) => open);
    if (way === undefined) return undefined;
    const { room } = way;
    if (room === 0) return Number.POSITIVE_INFINITY;
    await mindTheClock();
    const rows = await ledger.claim(service, now(), now() + leaseMs, room);
    if (rows.length > 0) send(rows, way);
    return rows.length === room ? 0 : ((await ledger.nextDue(service)) ?? Number.POSITIVE_INFINITY);
  }

  function send(rows: readonly Solicitud[], way: Way): void {
    const work = underLease(rows, deps, (lease) => {
      const done = (id: string): void => {
        lease.done(id);
        wake();
      };
      return way.dispatch(rows, { done }, stopping.signal);
    })
      .catch((err: unknown) => {
        const ids = rows.slice(0, mostIdsLogged).map(({ id }) => id);
        tell('dispatching failed', { err, ids, rows: rows.length });
        return pause(pauseAfterErrorMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      })
      .finally(() => {
        underWay.delete(work);
        wake();
      });
    underWay.add(work);
  }

  async function run(): Promise<void> {
    let next: number | undefined;
    do {
      wanted = false;
      try {
        next = await pass();
      } catch (err) {
        tell('looking for work failed', { err });
        next = now() + pauseAfterErrorMs;
      }
    } while (state === 'running' && (wanted || next === 0));
    if (state === 'stopped') return;
    state = 'idle';
    if (next !== undefined) timer = setTimeout(wake, Math.min(longestSleepMs, Math.max(1, next - now())));
  }

  function wake(): void {
    wanted = true;
    if (state !== 'idle') return;
    state = 'running';
    clearTimeout(timer);
    round = run();
  }

  /** Rows that wait in a queue nobody can reach are due now: they may take the other way. */
  async function onBroker(usable: boolean): Promise<void> {
    try {
      await ledger.makeDue(service, usable ? now() + settleMs : now());
    } catch (err) {
      log.error({ err, service }, 'could not bring rows forward; they stay due as they were');
    }
    wake();
  }

  return {
    wake,
    start: async () => {
      state = 'idle';
      let usable = broker?.usable ?? false;
      unsubscribe = [
        caller.onReachable(wake),
        broker?.subscribe(() => {
          if (broker.usable === usable) return wake();
          usable = broker.usable;
          void onBroker(usable);
        }) ?? (() => undefined),
      ];
      wake();
    },
    stop: async () => {
      state = 'stopped';
      stopping.abort();
      clearTimeout(timer);
      for (const end of unsubscribe) end();
      unsubscribe = [];
      await round;
      await Promise.all(underWay);
    },
  };
}
