import type { Ledger, Solicitud } from './ledger.ts';
import type { Waiters } from './waiters.ts';

/** Polling interval. A notification of another gateway is lost when that gateway dies. */
const pollMs = 10_000;

/** How long a request waits, its quota key, and a signal that aborts when its client disconnects. */
export interface WaitOptions {
  readonly quotaKey: string;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until a solicitud is closed or the time is over, then returns it; undefined when it is unknown. Rejects with
 * `LimitReachedError` when too many requests wait.
 */
export async function waitUntilClosed(
  { ledger, waiters }: { readonly ledger: Pick<Ledger, 'get'>; readonly waiters: Waiters },
  id: string,
  { quotaKey, ms, signal }: WaitOptions,
): Promise<Solicitud | undefined> {
  const until = performance.now() + ms;
  using watch = waiters.watch(id, quotaKey);
  for (;;) {
    const row = await ledger.get(id);
    const left = until - performance.now();
    if (row === undefined || row.closedAt !== undefined || left <= 0) return row;
    const changed = await watch.changed(Math.min(left, pollMs), signal);
    if (!changed && (waiters.stopped || signal.aborted)) return row;
  }
}
