import { anonymous, type State } from '../http/state.ts';
import { addressKey } from './address-key.ts';

/** Returns the key that a caller's quota is counted under: user id, else address. */
export function quotaKeyOf(who: Pick<State, 'caller' | 'address'>): string {
  return who.caller === '' || who.caller === anonymous ? addressQuotaKey(who) : `caller ${who.caller}`;
}

export function addressQuotaKey({ address }: Pick<State, 'address'>): string {
  return `address ${addressKey(address)}`;
}
