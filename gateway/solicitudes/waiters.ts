/** Who is waiting for a solicitud to reach its final state, within this process. */
export interface Waiters {
  /**
   * Resolves true once `id` was closed, false when `ms` are over, `signal` is aborted or the process stops. Start to wait
   * before you look at the ledger, or a closing in between is missed.
   */
  wait(id: string, ms: number, signal: AbortSignal): Promise<boolean>;
  notify(id: string): void;
  /** Lets everybody go. */
  stop(): void;
}

export function createWaiters(): Waiters {
  const waiting = new Map<string, Set<(closed: boolean) => void>>();
  let stopped = false;

  return {
    wait: (id, ms, signal) =>
      new Promise((resolve) => {
        if (stopped || signal.aborted) return resolve(false);
        const end = (closed: boolean): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          const others = waiting.get(id);
          others?.delete(end);
          if (others?.size === 0) waiting.delete(id);
          resolve(closed);
        };
        const abort = (): void => end(false);
        const timer = setTimeout(end, ms, false);
        signal.addEventListener('abort', abort, { once: true });
        const set = waiting.get(id) ?? new Set();
        waiting.set(id, set.add(end));
      }),
    notify: (id) => {
      for (const end of [...(waiting.get(id) ?? [])]) end(true);
    },
    stop: () => {
      stopped = true;
      for (const ends of [...waiting.values()]) for (const end of [...ends]) end(false);
    },
  };
}
