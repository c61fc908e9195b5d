import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { DrainRate } from './drain-rate.ts';
import type { Ledger } from './ledger.ts';

export interface HousekeepingDeps {
  readonly ledger: Ledger;
  readonly drain: DrainRate;
  readonly metrics: Pick<Metrics, 'solicitudEnds'>;
  readonly log: Logger;
  /** How long an answer is kept, milliseconds from its completion. */
  readonly retentionMs: number;
  readonly intervalMs: number;
  readonly now: () => number;
}

/**
 * In regular rounds, ends what is open past its time (`vencida`), forgets what was kept long enough, and counts what is
 * open.
 */
export function createHousekeeping(deps: HousekeepingDeps): {
  start(): Promise<void>;
  stop(): Promise<void>;
} {
  const { ledger, drain, metrics, log, retentionMs, intervalMs, now } = deps;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();

  async function tidy(): Promise<void> {
    try {
      const expired = await ledger.expire(now());
      for (const { id, requestId } of expired) {
        metrics.solicitudEnds('vencida');
        log.warn({ id, requestId, estado: 'vencida' }, 'solicitud closed');
      }
      const purged = await ledger.purge(now() - retentionMs);
      if (purged > 0) log.info({ purged }, 'answers forgotten');
      // Other gateways accept and close too, and their word may get lost.
      drain.recount(await ledger.open());
    } catch (err) {
      log.error({ err }, 'housekeeping failed; next round tries again');
    }
  }

  function schedule(ms: number): void {
    timer = setTimeout(() => {
      round = tidy().finally(() => {
        if (timer !== undefined) schedule(intervalMs);
      });
    }, ms);
  }

  return {
    // The first round follows at once, but nobody waits for it: after a long stop there may be much to forget.
    start: async () => schedule(0),
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await round;
    },
  };
}
