import { anonymous, type State } from '../http/state.ts';
import { addressKey } from './address-key.ts';

/** Under whom it is counted what somebody uses: who is known by name, from wherever; others by their address. */
export function payerOf(who: Pick<State, 'caller' | 'address'>): string {
  return who.caller === '' || who.caller === anonymous ? payerAt(who) : `caller ${who.caller}`;
}

export function payerAt({ address }: Pick<State, 'address'>): string {
  return `address ${addressKey(address)}`;
}
