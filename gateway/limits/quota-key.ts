import { anonymous, type State } from '../http/state.ts';
import { addressKey } from './address-key.ts';

/** Returns the key that a caller's quota is counted under: user id, else address. */
export function payerOf(who: Pick<State, 'caller' | 'address'>): string {
  return who.caller === '' || who.caller === anonymous ? payerAt(who) : `caller ${who.caller}`;
}

export function payerAt({ address }: Pick<State, 'address'>): string {
  return `address ${addressKey(address)}`;
}
