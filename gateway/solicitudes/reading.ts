import type { Ledger, Solicitud } from './ledger.ts';
import type { Waiters } from './waiters.ts';

/**
 * A solicitud, once it is closed or `ms` are over, whichever is first. Undefined when it is unknown. Without `ms` it is
 * what the ledger says now.
 */
export async function readSolicitud(
  { ledger, waiters }: { readonly ledger: Ledger; readonly waiters: Waiters },
  id: string,
  wait: { readonly ms: number; readonly signal: AbortSignal } | undefined,
): Promise<Solicitud | undefined> {
  if (wait === undefined || wait.ms === 0) return ledger.get(id);
  const enough = new AbortController();
  // Waits before it reads: a closing between the two would be missed the other way round.
  const waiting = waiters.wait(id, wait.ms, AbortSignal.any([wait.signal, enough.signal]));
  try {
    const row = await ledger.get(id);
    if (row === undefined || row.closedAt !== undefined) return row;
    return (await waiting) ? await ledger.get(id) : row;
  } finally {
    enough.abort();
  }
}
