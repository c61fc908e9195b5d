import timers from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ServiceClient } from '../calls/service-client.ts';
import { type Lease, leaseMs, underLease } from './lease.ts';
import type { Ledger, Solicitud } from './ledger.ts';

/**
 * Gets one service's open rows answered, through RabbitMQ or, without a usable broker, by direct calls. It sleeps until a
 * row is due, a row is accepted or a route opens.
 */
export interface Dispatcher {
  /** Checks for due rows soon. Cheap, and may be called at any rate. */
  wake(): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A route by which rows get answered. */
export interface DispatchRoute {
  readonly open: boolean;
  /** Number of rows that the route can take now. It grows when a row is done. */
  readonly room: number;
  /** Publishes, calls, closes or defers each row and reports it done to the lease. Rows may be left over on failure. */
  dispatch(rows: readonly Solicitud[], lease: Lease, signal: AbortSignal): Promise<void>;
}

/** Whether replies can come through RabbitMQ now. */
export interface BrokerAvailability {
  /** Requests can be published and replies received. */
  readonly usable: boolean;
  /** Notifies of connection changes; returns the unsubscribe function. */
  subscribe(listener: () => void): () => void;
}

export interface DispatcherDeps {
  readonly service: string;
  readonly ledger: Ledger;
  /** Routes in order of preference. */
  readonly routes: readonly DispatchRoute[];
  readonly broker: BrokerAvailability | undefined;
  readonly client: Pick<ServiceClient, 'onReachable'>;
  readonly log: Logger;
  readonly now: () => number;
}

const pauseAfterErrorMs = 1_000;
const maxIdsLogged = 4;
const repeatLogMs = 60_000;
/** Polling interval. It finds rows that another gateway accepted, or held when it died, without a notification. */
const maxSleepMs = 5_000;
/** No row is deferred for longer. */
export const maxDeferMs = 60_000;
/** Clock corrections up to this are ordinary, such as NTP's; a larger one means that the clock was set back. */
const clockSlackMs = 1_000;
/** Time for the broker to redeliver its messages after a reconnect. */
const settleMs = 5_000;

export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { service, ledger, routes, broker, client, log, now } = deps;
  let state: 'idle' | 'running' | 'stopped' = 'stopped';
  let wakeRequested = false;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  const stopping = new AbortController();
  let unsubscribe: readonly (() => void)[] = [];

  const inFlight = new Set<Promise<void>>();
  /** The last failure and when it was logged, by the monotonic clock. */
  let lastFailure: { readonly failure: string; readonly at: number } | undefined;

  /** Logs a repeated failure as an error once a minute, else at debug: a frozen broker fails every attempt. */
  function logFailure(
    failure: string,
    details: { readonly err: unknown; readonly [key: string]: unknown },
  ): void {
    const at = performance.now();
    const isKnown = lastFailure?.failure === failure && at - lastFailure.at < repeatLogMs;
    if (!isKnown) lastFailure = { failure, at };
    log[isKnown ? 'debug' : 'error']({ ...details, service }, `${failure}; trying again`);
  }

  /** The wall clock's lead over the monotonic clock, at the last check. */
  let clockLead: number | undefined;

  /** After the clock was set back, or at the start, rows due in its future become due now. */
  async function checkClock(): Promise<void> {
    const before = clockLead;
    const lead = now() - performance.now();
    if (before === undefined) await ledger.makeDue(service, now() + maxDeferMs);
    else if (lead < before - clockSlackMs) await ledger.makeDue(service, now());
    clockLead = lead;
  }

  /**
   * Claims due rows and dispatches them. Does not wait for their answers, so that a slow row delays no other.
   * @returns when to check again: a time, 0 for at once, or undefined to wait for an event
   */
  async function claimDue(): Promise<number | undefined> {
    const route = routes.find(({ open }) => open);
    if (route === undefined) return undefined;
    const { room } = route;
    if (room === 0) return Number.POSITIVE_INFINITY;
    await checkClock();
    const rows = await ledger.claim(service, now(), now() + leaseMs, room);
    if (rows.length > 0) send(rows, route);
    return rows.length === room ? 0 : ((await ledger.nextDue(service)) ?? Number.POSITIVE_INFINITY);
  }

  function send(rows: readonly Solicitud[], route: DispatchRoute): void {
    const work = underLease(rows, deps, (lease) => {
      const done = (id: string): void => {
        lease.done(id);
        wake();
      };
      return route.dispatch(rows, { done }, stopping.signal);
    })
      .catch((err: unknown) => {
        const ids = rows.slice(0, maxIdsLogged).map(({ id }) => id);
        logFailure('dispatching failed', { err, ids, rows: rows.length });
        return timers
          .setTimeout(pauseAfterErrorMs, undefined, { signal: stopping.signal })
          .catch(() => undefined);
      })
      .finally(() => {
        inFlight.delete(work);
        wake();
      });
    inFlight.add(work);
  }

  async function run(): Promise<void> {
    let next: number | undefined;
    do {
      wakeRequested = false;
      try {
        next = await claimDue();
      } catch (err) {
        logFailure('cannot look for work', { err });
        next = now() + pauseAfterErrorMs;
      }
    } while (state === 'running' && (wakeRequested || next === 0));
    if (state === 'stopped') return;
    state = 'idle';
    if (next !== undefined) timer = setTimeout(wake, Math.min(maxSleepMs, Math.max(1, next - now())));
  }

  function wake(): void {
    wakeRequested = true;
    if (state !== 'idle') return;
    state = 'running';
    clearTimeout(timer);
    round = run();
  }

  /** Makes rows due now when the broker is lost, for the direct route; a little later when it is back. */
  async function onBroker(usable: boolean): Promise<void> {
    try {
      await ledger.makeDue(service, usable ? now() + settleMs : now());
    } catch (err) {
      log.error({ err, service }, 'cannot bring rows forward; they keep their due times');
    }
    wake();
  }

  return {
    wake,
    start: async () => {
      state = 'idle';
      let usable = broker?.usable ?? false;
      unsubscribe = [
        client.onReachable(wake),
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
      await Promise.all(inFlight);
    },
  };
}
