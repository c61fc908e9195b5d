/** How fast the rows of each service are being closed, for an honest `Retry-After`. */
export interface DrainRate {
  /** One row of this service was accepted, or closed. */
  accepted(service: string): void;
  closed(service: string): void;
  /** Seconds until a request that is accepted now is likely to be answered: 1 to 60. */
  retryAfter(service: string): number;
}

const windowMs = 10_000;
const idleSeconds = 5;
const mostSeconds = 60;

/**
 * Depth divided by the closings of the last ten seconds. While nothing is being closed there is nothing to go by, so the
 * answer is a fixed, short pause.
 */
export function createDrainRate(depths: Readonly<Record<string, number>>, now: () => number): DrainRate {
  const open = new Map<string, number>(Object.entries(depths));
  const closings = new Map<string, { since: number; count: number; before: number }>();

  const windowOf = (service: string): { since: number; count: number; before: number } => {
    const at = now();
    const last = closings.get(service) ?? { since: at, count: 0, before: 0 };
    const age = at - last.since;
    if (age < windowMs) {
      closings.set(service, last);
      return last;
    }
    const next = { since: at, count: 0, before: age < 2 * windowMs ? last.count : 0 };
    closings.set(service, next);
    return next;
  };

  return {
    accepted: (service) => {
      open.set(service, (open.get(service) ?? 0) + 1);
    },
    closed: (service) => {
      open.set(service, Math.max(0, (open.get(service) ?? 0) - 1));
      windowOf(service).count += 1;
    },
    retryAfter: (service) => {
      const window = windowOf(service);
      const seconds = (now() - window.since + (window.before > 0 ? windowMs : 0)) / 1000;
      const perSecond = (window.count + window.before) / Math.max(seconds, 1);
      if (perSecond === 0) return idleSeconds;
      return Math.min(mostSeconds, Math.max(1, Math.ceil((open.get(service) ?? 0) / perSecond)));
    },
  };
}
