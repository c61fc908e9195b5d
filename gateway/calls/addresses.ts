import { isIPv6 } from 'node:net';

/** One part of a service's address list. */
export type AddressSource =
  /** `host:port` or `[ipv6]:port`, dialled as it is. */
  | { readonly kind: 'fixed'; readonly address: string }
  /** `dns:///host:port`: every address of the name, resolved periodically. */
  | { readonly kind: 'dns'; readonly host: string; readonly port: number };

export class BadAddressError extends Error {
  override readonly name = 'BadAddressError';
}

/**
 * Parses `MSERV1_URL` and the like: `host:port`, `[ipv6]:port` or `dns:///host:port`, several with commas. Throws
 * `BadAddressError`, whose message states the expected format.
 */
export function parseAddresses(text: string): readonly AddressSource[] {
  const parts = text.split(',').map((part) => part.trim());
  return [...new Set(parts)].map(parsePart);
}

function parsePart(part: string): AddressSource {
  const dns = part.startsWith('dns:///');
  const [, host, digits] = /^(\[[^\]]*\]|[A-Za-z0-9_.-]+):(\d{1,5})$/.exec(dns ? part.slice(7) : part) ?? [];
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) throw badAddress(part);
  if (!host.startsWith('[')) {
    return dns ? { kind: 'dns', host, port } : { kind: 'fixed', address: `${host}:${port}` };
  }
  if (dns || !isIPv6(host.slice(1, -1))) throw badAddress(part);
  return { kind: 'fixed', address: `${host}:${port}` };
}

function badAddress(part: string): BadAddressError {
  return new BadAddressError(
    `"${part}" is no address of a gRPC service: give host:port, [ipv6]:port or dns:///host:port, several with commas`,
  );
}

/** Joins an IP address and a port for dialling; IPv6 gets brackets. */
export function joinAddress(ip: string, port: number): string {
  return isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}
