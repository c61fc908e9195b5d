import { isIPv6 } from 'node:net';

/** Returns the key that an address is counted under. An IPv6 client owns a whole /64, so its key is the /64. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const { hostname } = new URL(`http://[${address}]`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const before = head.split(':').filter((part) => part !== '');
  const after = tail?.split(':').filter((part) => part !== '') ?? [];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const parts = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return `${parts.slice(0, 4).join(':')}::/64`;
}
