import { ProblemError } from '../http/problem.ts';

/** Places that are held for long: by those who wait, follow or converse. */
export interface Shares {
  /** Gives the place back when it is disposed of. Throws `NoPlaceError`. */
  take(payer: string): Disposable;
}

/** All places are taken; or, when it is `own`, half of them by this one. */
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

/** For how long others will wait is not known. */
const retrySeconds = 5;

/** So many places, of which one payer may hold half: whoever takes more is refused before others find none. */
export function createShares(count: number): Shares {
  const share = Math.ceil(count / 2);
  const held = new Map<string, number>();
  let taken = 0;

  function giveBack(payer: string): void {
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
      let given = false;
      return {
        [Symbol.dispose]: () => {
          if (!given) giveBack(payer);
          given = true;
        },
      };
    },
  };
}
