import type { Ledger, Solicitud } from './ledger.ts';
import type { Waiters } from './waiters.ts';

/** Another gateway's word that it closed a row may get lost with that gateway, so who waits also looks by itself. */
const lookMs = 10_000;

/**
 * A solicitud, once it is closed or `ms` are over, whichever is first. Undefined when it is unknown. Without `wait` it is
 * what the ledger says now. Rejects with `TooManyWaitersError` when it would have to wait and may not.
 */
export async function readSolicitud(
  { ledger, waiters }: { readonly ledger: Ledger; readonly waiters: Waiters },
  id: string,
  wait?: { readonly ms: number; readonly signal: AbortSignal },
): Promise<Solicitud | undefined> {
  const until = performance.now() + (wait?.ms ?? 0);
  let row = await ledger.get(id);
  if (row === undefined || row.closedAt !== undefined || wait === undefined) return row;
  using watch = waiters.watch(id);
  for (;;) {
    row = await ledger.get(id);
    const left = until - performance.now();
    if (row === undefined || row.closedAt !== undefined || left <= 0) return row;
    const changed = await watch.changed(Math.min(left, lookMs), wait.signal);
    if (!changed && (waiters.stopped || wait.signal.aborted)) return row;
  }
}
