import { ProblemError } from '../http/problem.ts';

/** Slots that requests hold for long, such as a wait, an event stream or a WebSocket. */
export interface PerCallerLimit {
  /** Takes a slot, released on disposal. Throws `LimitReachedError`. */
  take(quotaKey: string): Disposable;
}

/** No slot is free. `own`: this caller already holds its maximum, half of them. */
export class LimitReachedError extends ProblemError<'demasiadas-peticiones' | 'demasiadas-esperas'> {
  readonly own: boolean;

  constructor(own: boolean) {
    super(own ? 'demasiadas-peticiones' : 'demasiadas-esperas', {
      values: { segundos: retrySeconds },
      headers: { 'retry-after': String(retrySeconds) },
    });
    this.own = own;
  }
}

/** A constant, because how long the others hold their slots is unknown. */
const retrySeconds = 5;

/** Creates `count` slots, of which one quota key may hold half, so that one caller cannot exhaust them. */
export function createPerCallerLimit(count: number): PerCallerLimit {
  const share = Math.ceil(count / 2);
  const held = new Map<string, number>();
  let taken = 0;

  function release(quotaKey: string): void {
    taken -= 1;
    const left = (held.get(quotaKey) ?? 0) - 1;
    if (left > 0) held.set(quotaKey, left);
    else held.delete(quotaKey);
  }

  return {
    take: (quotaKey) => {
      const own = held.get(quotaKey) ?? 0;
      if (taken >= count || own >= share) throw new LimitReachedError(taken < count);
      taken += 1;
      held.set(quotaKey, own + 1);
      let released = false;
      return {
        [Symbol.dispose]: () => {
          if (!released) release(quotaKey);
          released = true;
        },
      };
    },
  };
}
