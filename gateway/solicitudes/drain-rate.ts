import type { Change } from './ledger.ts';

/** Tracks how fast each service's rows are closed, for an honest `Retry-After`. */
export interface DrainRate {
  /** Records a row's change of state, by any gateway. */
  changed(change: Pick<Change, 'service' | 'state'>): void;
  /** Sets the number of open rows per service from the ledger. */
  recount(depths: Readonly<Record<string, number>>): void;
  /** Returns the expected seconds until a request accepted now is answered: 1 to 60. */
  retryAfter(service: string): number;
}

const windowSeconds = 10;
const idleSeconds = 5;
const maxSeconds = 60;

/**
 * Estimates depth divided by the closing rate. The rate covers the last ten seconds from their first closing, so that a
 * service that has just returned is judged by its current speed. With no closing to measure, the estimate is a short
 * constant.
 */
export function createDrainRate(depths: Readonly<Record<string, number>>, now: () => number): DrainRate {
  const open = new Map<string, number>(Object.entries(depths));
  /** By service, the last seconds in which rows were closed, with their counts. */
  const closings = new Map<string, { readonly second: number; count: number }[]>();

  const add = (service: string, rows: number): void =>
    void open.set(service, Math.max(0, (open.get(service) ?? 0) + rows));

  function closed(service: string): void {
    const seconds = closings.get(service) ?? [];
    closings.set(service, seconds);
    const second = Math.floor(now() / 1000);
    const last = seconds.at(-1);
    if (last?.second === second) last.count += 1;
    else if (seconds.push({ second, count: 1 }) > windowSeconds) seconds.shift();
  }

  /** Returns rows closed per second; 0 when none was. */
  function rate(service: string): number {
    const at = now() / 1000;
    const recent = closings.get(service)?.filter(({ second }) => second > at - windowSeconds) ?? [];
    const count = recent.reduce((sum, each) => sum + each.count, 0);
    return count / Math.max(1, at - (recent[0]?.second ?? at));
  }

  return {
    changed: ({ service, state }) => {
      if (state === 'aceptada') add(service, 1);
      else if (state !== 'encolada') {
        add(service, -1);
        closed(service);
      }
    },
    recount: (counted) => {
      for (const service of open.keys()) open.set(service, counted[service] ?? 0);
      for (const [service, rows] of Object.entries(counted)) open.set(service, rows);
    },
    retryAfter: (service) => {
      const perSecond = rate(service);
      if (perSecond === 0) return idleSeconds;
      return Math.min(maxSeconds, Math.max(1, Math.ceil((open.get(service) ?? 0) / perSecond)));
    },
  };
}
