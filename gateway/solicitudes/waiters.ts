import { createShares } from '../limits/per-caller-limit.ts';

/** An eye on one solicitud. It sees what happens between two looks, too. */
export interface Watch extends Disposable {
  /**
   * Resolves true as soon as something happened to it since the last call (or since the watch began), false when `ms`
   * are over, `signal` is aborted or the process stops.
   */
  changed(ms: number, signal: AbortSignal): Promise<boolean>;
}

/** Who waits for solicitudes to change, within this process. */
export interface Waiters {
  /**
   * Begin to watch before you look at the ledger, or a change in between is missed. Throws `NoPlaceError`.
   * @param payer whose watch it is, of those who share the places
   */
  watch(id: string, payer: string): Watch;
  notify(id: string): void;
  /** Anything may have happened: everybody looks again. */
  notifyAll(): void;
  /** Whether it has let everybody go. */
  readonly stopped: boolean;
  stop(): void;
}

interface Watcher {
  seen: boolean;
  wake: (() => void) | undefined;
}

/** At most `limit` watches at a time. */
export function createWaiters(limit: number): Waiters {
  const watchers = new Map<string, Set<Watcher>>();
  const places = createShares(limit);
  let stopped = false;

  const tell = (watcher: Watcher): void => {
    watcher.seen = true;
    watcher.wake?.();
  };

  function forget(id: string, watcher: Watcher): void {
    const others = watchers.get(id);
    if (!others?.delete(watcher)) return;
    if (others.size === 0) watchers.delete(id);
  }

  function changed(watcher: Watcher, ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        watcher.wake = undefined;
        resolve(watcher.seen && !stopped && !signal.aborted);
        watcher.seen = false;
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end, { once: true });
      watcher.wake = end;
      if (watcher.seen || stopped || signal.aborted) end();
    });
  }

  return {
    watch: (id, payer) => {
      const place = places.take(payer);
      const watcher: Watcher = { seen: false, wake: undefined };
      watchers.set(id, (watchers.get(id) ?? new Set()).add(watcher));
      return {
        changed: (ms, signal) => changed(watcher, ms, signal),
        [Symbol.dispose]: () => {
          forget(id, watcher);
          place[Symbol.dispose]();
        },
      };
    },
    notify: (id) => {
      for (const watcher of watchers.get(id) ?? []) tell(watcher);
    },
    notifyAll: () => {
      for (const same of watchers.values()) for (const watcher of same) tell(watcher);
    },
    get stopped() {
      return stopped;
    },
    stop: () => {
      stopped = true;
      for (const same of watchers.values()) for (const watcher of same) tell(watcher);
    },
  };
}
