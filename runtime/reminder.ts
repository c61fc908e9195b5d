/** Limits how often a lasting failure is logged. */
export interface Reminder {
  /** Returns whether to log the reason now: a new one at once, the same one now and then. */
  isDue(reason: string): boolean;
  /** Forgets the reason: if it comes back, it is a new one. */
  clear(): void;
}

const minuteMs = 60_000;
const maxPauseMs = 60 * minuteMs;

/** @param firstMs pause before the same reason is logged again; it doubles each time, up to an hour */
export function createReminder(firstMs = minuteMs): Reminder {
  let last: { readonly reason: string; readonly at: number; readonly pauseMs: number } | undefined;
  return {
    isDue(reason) {
      const at = performance.now();
      const isKnown = last?.reason === reason;
      if (last !== undefined && isKnown && at - last.at < last.pauseMs) return false;
      const pauseMs = last !== undefined && isKnown ? Math.min(maxPauseMs, 2 * last.pauseMs) : firstMs;
      last = { reason, at, pauseMs };
      return true;
    },
    clear() {
      last = undefined;
    },
  };
}
