/** A breaker's state. `cause`: the failure of the last call or probe. */
export type BreakerState<Cause> =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly since: number; readonly cause: Cause };

export interface BreakerOptions<Cause> {
  /** Probes the peer; returns the cause of a failure, undefined on success. Must always settle. */
  readonly probe: () => Promise<Cause | undefined>;
  /** Pause between two probes of an open breaker, in milliseconds. */
  readonly intervalMs: number;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
  readonly onChange: (state: BreakerState<Cause>, before: BreakerState<Cause>) => void;
}

export interface Breaker<Cause> {
  readonly state: BreakerState<Cause>;
  /** Opens the breaker after a failure that the next call would repeat. Only a successful probe closes it. */
  open(cause: Cause): void;
  /** Probes now: opens a closed breaker whose peer does not answer, closes an open one whose peer does. */
  check(): Promise<void>;
  stop(): void;
}

/**
 * Creates a breaker that keeps calls away from an unreachable address. A single failure opens it, because an error costs
 * little: a probe follows at once. Requests never serve as probes.
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
