import type { Logger } from 'pino';
import type { Ledger, Solicitud } from './ledger.ts';

/** Claimed rows come back after this if their gateway dies: long enough for a pause of its event loop, and no longer. */
export const leaseMs = 5_000;
const renewMs = leaseMs / 3;

/** Rows that this gateway has claimed and works on. */
export interface Lease {
  /** It is dealt with: published, closed or put off. */
  done(id: string): void;
}

/**
 * Works on claimed rows, renewing the claim as long as it takes. What was not done at the end is given back, due at once;
 * if that fails, it comes back by itself.
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
      log.warn({ err }, 'a claim could not be renewed or given back; its rows come back by themselves');
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

/** Waits for all of them, and then throws what one of them threw: no row is given back while somebody works on it. */
export async function everyOne(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
