import { ProblemError } from '../http/problem.ts';

/** Slots that requests hold for long, such as a wait, an event stream or a WebSocket. */
export interface Shares {
  /** Takes a slot, released on disposal. Throws `NoPlaceError`. */
  take(payer: string): Disposable;
}

/** No slot is free. `own`: this caller already holds its maximum, half of them. */
export class NoPlaceError extends ProblemError<'demasiadas-peticiones' | 'demasiadas-esperas'> {
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
export function createShares(count: number): Shares {
  const share = Math.ceil(count / 2);
  const held = new Map<string, number>();
  let taken = 0;

  function release(payer: string): void {
    taken -= 1;
    const left = (held.get(payer) ?? 0) - 1;
    if (left > 0) held.set(payer, left);
    else held.delete(payer);
  }

  return {
    take: (payer) => {
      const own = held.get(payer) ?? 0;
      if (taken >= count || own >= share) throw new NoPlaceError(taken < count);
      taken += 1;
      held.set(payer, own + 1);
      let released = false;
      return {
        [Symbol.dispose]: () => {
          if (!released) release(payer);
          released = true;
        },
      };
    },
  };
}
