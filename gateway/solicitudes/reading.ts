import type { Ledger, Solicitud } from './ledger.ts';
import type { Waiters } from './waiters.ts';

/** Another gateway's word that it closed a row may get lost with that gateway, so who waits also looks by itself. */
const lookMs = 10_000;

/** How long somebody would wait, who that is, and a signal that is aborted when he has gone. */
export interface Patience {
  readonly payer: string;
  readonly ms: number;
  readonly signal: AbortSignal;
}

/**
 * A solicitud, once it is closed or the patience is over, whichever is first. Undefined when it is unknown. Rejects with
 * `NoPlaceError` when no more may wait.
 */
export async function awaitEnd(
  { ledger, waiters }: { readonly ledger: Pick<Ledger, 'get'>; readonly waiters: Waiters },
  id: string,
  { payer, ms, signal }: Patience,
): Promise<Solicitud | undefined> {
  const until = performance.now() + ms;
  using watch = waiters.watch(id, payer);
  for (;;) {
    const row = await ledger.get(id);
    const left = until - performance.now();
    if (row === undefined || row.closedAt !== undefined || left <= 0) return row;
    const changed = await watch.changed(Math.min(left, lookMs), signal);
    if (!changed && (waiters.stopped || signal.aborted)) return row;
  }
}
