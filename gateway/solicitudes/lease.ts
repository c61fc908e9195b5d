import type { Logger } from 'pino';
import type { Ledger, Solicitud } from './ledger.ts';

/** Lease time. Rows of a dead gateway become due after it; it outlasts a pause of a live gateway's event loop. */
export const leaseMs = 5_000;
const renewMs = leaseMs / 3;

/** The rows that this gateway has claimed and works on. */
export interface Lease {
  /** Removes a row that was published, closed or deferred. */
  done(id: string): void;
}

/**
 * Works on claimed rows and renews their claim meanwhile. Rows not done at the end are released, due at once; if the
 * release fails, their claim expires.
 */
export async function underLease(
  rows: readonly Solicitud[],
  { ledger, log, now }: { readonly ledger: Ledger; readonly log: Logger; readonly now: () => number },
  work: (lease: Lease) => Promise<void>,
): Promise<void> {
  if (rows.length === 0) return;
  const held = new Set(rows.map(({ id }) => id));
  const deferAll = async (dueAt: number): Promise<void> => {
    try {
      await Promise.all([...held].map((id) => ledger.defer(id, dueAt)));
    } catch (err) {
      log.warn({ err }, 'claim not renewed or released; its rows become due when it expires');
    }
  };
  let renewal = Promise.resolve();
  const timer = setInterval(() => {
    renewal = deferAll(now() + leaseMs);
  }, renewMs);
  try {
    await work({ done: (id) => held.delete(id) });
  } finally {
    clearInterval(timer);
    await renewal;
    if (held.size > 0) await deferAll(now());
  }
}

/** Awaits all of them, then throws the first failure, so that no row is released while it is worked on. */
export async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
