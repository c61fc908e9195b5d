import type { Logger } from 'pino';
import type { DrainRate } from './drain-rate.ts';
import type { Ledger } from './ledger.ts';
import type { Waiters } from './waiters.ts';

export interface HousekeepingDeps {
  readonly ledger: Ledger;
  readonly waiters: Waiters;
  readonly drain: DrainRate;
  readonly log: Logger;
  /** How long an answer is kept, milliseconds from its completion. */
  readonly retentionMs: number;
  readonly intervalMs: number;
  readonly now: () => number;
}

/** Ends what is open past its time (`vencida`) and forgets what was kept long enough, in regular rounds. */
export function createHousekeeping(deps: HousekeepingDeps): {
  start(): Promise<void>;
  stop(): Promise<void>;
} {
  const { ledger, waiters, log, retentionMs, intervalMs, now } = deps;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();

  async function tidy(): Promise<void> {
    try {
      const expired = await ledger.expire(now());
      for (const { id, service } of expired) {
        deps.drain.closed(service);
        waiters.notify(id);
        log.warn({ id }, 'solicitud vencida');
      }
      const purged = await ledger.purge(now() - retentionMs);
      if (purged > 0) log.info({ purged }, 'answers forgotten');
    } catch (err) {
      log.error({ err }, 'housekeeping failed; next round tries again');
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      round = tidy().finally(() => {
        if (timer !== undefined) schedule();
      });
    }, intervalMs);
  }

  return {
    start: async () => {
      await tidy();
      schedule();
    },
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await round;
    },
  };
}
