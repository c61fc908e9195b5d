import { isIPv6 } from 'node:net';

/** One part of a service's address list. */
export type AddressSource =
  /** `host:port` or `[ipv6]:port`, dialled as it is. */
  | { readonly kind: 'fixed'; readonly address: string }
  /** `dns:///host:port`: every address that the name has, looked up again and again. */
  | { readonly kind: 'dns'; readonly host: string; readonly port: number };

export class BadAddressError extends Error {
  override readonly name = 'BadAddressError';
}

/**
 * Reads `MSERV1_URL` and the like: `host:port`, `[ipv6]:port` or `dns:///host:port`, several of them with commas.
 * Throws `BadAddressError`, whose text says what is expected.
 */
export function parseAddresses(text: string): readonly AddressSource[] {
  const parts = text.split(',').map((part) => part.trim());
  return [...new Set(parts)].map(parsePart);
}

function parsePart(part: string): AddressSource {
  const dns = part.startsWith('dns:///');
  const [, host, digits] = /^(\[[^\]]*\]|[A-Za-z0-9_.-]+):(\d{1,5})$/.exec(dns ? part.slice(7) : part) ?? [];
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) throw bad(part);
  if (!host.startsWith('[')) {
    return dns ? { kind: 'dns', host, port } : { kind: 'fixed', address: `${host}:${port}` };
  }
  if (dns || !isIPv6(host.slice(1, -1))) throw bad(part);
  return { kind: 'fixed', address: `${host}:${port}` };
}

function bad(part: string): BadAddressError {
  return new BadAddressError(
    `"${part}" is no address of a gRPC service: give host:port, [ipv6]:port or dns:///host:port, several with commas`,
  );
}

/** An IP address and a port as they are dialled. */
export function joinAddress(ip: string, port: number): string {
  return isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}
