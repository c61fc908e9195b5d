import type { Change } from './ledger.ts';

/** How fast the rows of each service are being closed, for an honest `Retry-After`. */
export interface DrainRate {
  /** A row came to this state, in whichever gateway. */
  changed(change: Pick<Change, 'service' | 'state'>): void;
  /** How many rows are open, by service, as the ledger has it. */
  recount(depths: Readonly<Record<string, number>>): void;
  /** Seconds until a request that is accepted now is likely to be answered: 1 to 60. */
  retryAfter(service: string): number;
}

const windowSeconds = 10;
const idleSeconds = 5;
const mostSeconds = 60;

/**
 * Depth divided by the rate of closing. The rate is that of the last ten seconds, from their first closing on: a service
 * that has just come back is judged by what it does now, not by its absence. While nothing is being closed there is
 * nothing to go by, so the answer is a fixed, short pause.
 */
export function createDrainRate(depths: Readonly<Record<string, number>>, now: () => number): DrainRate {
  const open = new Map<string, number>(Object.entries(depths));
  /** Of each service the last seconds in which rows were closed, and how many. */
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

  /** Rows closed per second; 0 when none was. */
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
      return Math.min(mostSeconds, Math.max(1, Math.ceil((open.get(service) ?? 0) / perSecond)));
    },
  };
}
