import type { DrainRate } from './drain-rate.ts';
import type { Ledger } from './ledger.ts';
import type { Waiters } from './waiters.ts';

export interface FollowDeps {
  readonly ledger: Pick<Ledger, 'subscribe'>;
  readonly waiters: readonly Pick<Waiters, 'notify' | 'notifyAll'>[];
  readonly drain: Pick<DrainRate, 'changed'>;
  /** Wakes the dispatcher of a service; without a name, all of them. */
  readonly wake: (service?: string) => void;
}

/** Forwards the ledger's changes, by this gateway and others, to waiters, drain rate and dispatchers. */
export function followLedger({ ledger, waiters, drain, wake }: FollowDeps): void {
  ledger.subscribe({
    changed: (changes) => {
      for (const change of changes) {
        drain.changed(change);
        for (const each of waiters) each.notify(change.id);
      }
      const accepted = changes.filter(({ state }) => state === 'aceptada');
      for (const service of new Set(accepted.map((change) => change.service))) wake(service);
    },
    missed: () => {
      for (const each of waiters) each.notifyAll();
      wake();
    },
  });
}
