/** Why an address is not called: what the last call or probe that failed told. */
export type BreakerState<Cause> =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly since: number; readonly cause: Cause };

export interface BreakerOptions<Cause> {
  /** Asks the peer whether it answers; gives why not, or undefined when it does. Must end by itself. */
  readonly probe: () => Promise<Cause | undefined>;
  /** Pause between two probes of an open breaker, in milliseconds. */
  readonly intervalMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly onChange: (state: BreakerState<Cause>, before: BreakerState<Cause>) => void;
}

export interface Breaker<Cause> {
  readonly state: BreakerState<Cause>;
  /** A call failed in a way that the next one would repeat: nobody is sent there until a probe is answered. */
  open(cause: Cause): void;
  /** Probes now, out of turn: opens a closed breaker whose peer does not answer, closes an open one whose peer does. */
  check(): Promise<void>;
  stop(): void;
}

/**
 * Keeps callers away from an address that cannot be reached. One failure opens it, because being wrong is cheap: a
 * probe follows at once. No caller is ever used to find out whether the peer is back.
 */
export function createBreaker<Cause>({
  probe,
  intervalMs,
  now,
  onChange,
}: BreakerOptions<Cause>): Breaker<Cause> {
  let state: BreakerState<Cause> = { kind: 'closed' };
  let timer: NodeJS.Timeout | undefined;
  let checking: Promise<void> | undefined;
  let stopped = false;

  function become(next: BreakerState<Cause>): void {
    const before = state;
    state = next;
    if (next.kind !== before.kind) onChange(next, before);
  }

  function check(): Promise<void> {
    if (stopped) return Promise.resolve();
    clearTimeout(timer);
    checking ??= probe().then((cause) => {
      checking = undefined;
      if (stopped) return;
      if (cause === undefined) return become({ kind: 'closed' });
      become({ kind: 'open', since: state.kind === 'open' ? state.since : now(), cause });
      timer = setTimeout(() => void check(), intervalMs).unref();
    });
    return checking;
  }

  return {
    get state() {
      return state;
    },
    open: (cause) => {
      if (stopped || state.kind === 'open') return;
      become({ kind: 'open', since: now(), cause });
      void check();
    },
    check,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
