import type { Change, LedgerListener } from './ledger.ts';

/** The listeners of a ledger. */
export interface Listeners extends LedgerListener {
  add(listener: LedgerListener): () => void;
}

export function createListeners(): Listeners {
  const all = new Set<LedgerListener>();
  return {
    add: (listener) => {
      all.add(listener);
      return () => void all.delete(listener);
    },
    changed: (changes: readonly Change[]) => {
      if (changes.length > 0) for (const listener of [...all]) listener.changed(changes);
    },
    missed: () => {
      for (const listener of [...all]) listener.missed();
    },
  };
}
