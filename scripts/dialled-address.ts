import type { Binding } from '../runtime/listen-error.ts';

/** Returns the host for dialling a listener from this machine. */
export function dialledHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}

/** Returns `host:port` for dialling a listener from this machine. */
export function dialledAddress({ host, port }: Pick<Binding, 'host' | 'port'>): string {
  const reachable = dialledHost(host);
  return `${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}
