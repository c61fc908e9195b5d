import type { DrainRate } from './drain-rate.ts';
import type { Ledger } from './ledger.ts';
import type { Waiters } from './waiters.ts';

export interface FollowDeps {
  readonly ledger: Pick<Ledger, 'subscribe'>;
  readonly waiters: readonly Pick<Waiters, 'notify' | 'notifyAll'>[];
  readonly drain: Pick<DrainRate, 'changed'>;
  /** Tells the dispatcher of a service that there is something new to look at; without a name, all of them. */
  readonly wake: (service?: string) => void;
}

/** Passes on what the ledger tells, of this gateway and of the others on it, to all who act on it. */
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
