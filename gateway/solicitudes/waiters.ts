import { createPerCallerLimit } from '../limits/per-caller-limit.ts';

/** A watch on one solicitud. It also reports changes that happened between two calls. */
export interface SolicitudWatch extends Disposable {
  /**
   * Resolves true when the solicitud changed since the last call or since the watch began. Resolves false when `ms` have
   * passed, `signal` aborts or the process stops.
   */
  changed(ms: number, signal: AbortSignal): Promise<boolean>;
}

/** The waiters for changes of solicitudes in this process. */
export interface Waiters {
  /**
   * Starts a watch. Start it before reading the ledger, or a change in between is missed. Throws `LimitReachedError`.
   * @param quotaKey the quota key of the watch
   */
  watch(id: string, quotaKey: string): SolicitudWatch;
  notify(id: string): void;
  /** Wakes every waiter, because any row may have changed. */
  notifyAll(): void;
  /** Whether all waiters have been released. */
  readonly stopped: boolean;
  stop(): void;
}

interface Watcher {
  seen: boolean;
  wake: (() => void) | undefined;
}

/** Creates waiters with at most `limit` watches at a time. */
export function createWaiters(limit: number): Waiters {
  const watchers = new Map<string, Set<Watcher>>();
  const slots = createPerCallerLimit(limit);
  let stopped = false;

  const wakeUp = (watcher: Watcher): void => {
    watcher.seen = true;
    watcher.wake?.();
  };

  function forget(id: string, watcher: Watcher): void {
    const watchersOfId = watchers.get(id);
    if (!watchersOfId?.delete(watcher)) return;
    if (watchersOfId.size === 0) watchers.delete(id);
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
    watch: (id, quotaKey) => {
      const slot = slots.take(quotaKey);
      const watcher: Watcher = { seen: false, wake: undefined };
      watchers.set(id, (watchers.get(id) ?? new Set()).add(watcher));
      return {
        changed: (ms, signal) => changed(watcher, ms, signal),
        [Symbol.dispose]: () => {
          forget(id, watcher);
          slot[Symbol.dispose]();
        },
      };
    },
    notify: (id) => {
      for (const watcher of watchers.get(id) ?? []) wakeUp(watcher);
    },
    notifyAll: () => {
      for (const group of watchers.values()) for (const watcher of group) wakeUp(watcher);
    },
    get stopped() {
      return stopped;
    },
    stop: () => {
      stopped = true;
      for (const group of watchers.values()) for (const watcher of group) wakeUp(watcher);
    },
  };
}
