import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import type { DrainRate } from './drain-rate.ts';
import type { Ledger } from './ledger.ts';
import { createPatientClock } from './patient-clock.ts';

export interface HousekeepingDeps {
  readonly ledger: Ledger;
  readonly drain: DrainRate;
  readonly metrics: Pick<Metrics, 'solicitudEnds'>;
  readonly log: Logger;
  /** How long an answer is kept after its completion, in milliseconds. */
  readonly retentionMs: number;
  readonly intervalMs: number;
  readonly now: () => number;
}

/** Periodically expires open rows (`vencida`), purges old answers and recounts open rows. */
export function createHousekeeping(deps: HousekeepingDeps): {
  start(): Promise<void>;
  stop(): Promise<void>;
} {
  const { ledger, drain, metrics, log, retentionMs, intervalMs, now } = deps;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  const clock = createPatientClock({
    now,
    monotonic: () => performance.now(),
    onJump: (ms) => log.warn({ ms }, 'the clock jumped ahead; rows expire by it after 10 minutes'),
  });

  async function tidy(): Promise<void> {
    try {
      const at = clock();
      const expired = await ledger.expire(at);
      for (const { id, requestId } of expired) {
        metrics.solicitudEnds('vencida');
        log.warn({ id, requestId, estado: 'vencida' }, 'solicitud closed');
      }
      const purged = await ledger.purge(at - retentionMs);
      if (purged > 0) log.info({ purged }, 'answers purged; their retention is over');
      // Other gateways also accept and close rows, and their notifications may be lost.
      drain.recount(await ledger.countOpen());
    } catch (err) {
      log.error({ err }, 'housekeeping failed; trying again in the next round');
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
    // The first round runs at once, in the background: after a long stop there may be much to purge.
    start: async () => schedule(0),
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await round;
    },
  };
}
