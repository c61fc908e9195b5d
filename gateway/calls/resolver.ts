import { lookup as systemLookup } from 'node:dns/promises';
import type { Logger } from 'pino';
import { type AddressSource, joinAddress } from './addresses.ts';

/** Resolves all addresses of a name, A and AAAA, by the system's rules (hosts file and search domains included). */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

/** An address to dial. `authority`: the name that it was resolved from. */
export interface Resolved {
  readonly address: string;
  readonly authority?: string;
}

/** Returns a resolved address's name and family, IPv4 or IPv6. */
export function familyOf({
  authority,
  address,
}: Pick<Resolved, 'address'> & { readonly authority?: string | undefined }): string {
  return `${authority} ${address.startsWith('[') ? 'IPv6' : 'IPv4'}`;
}

export interface ResolverOptions {
  readonly sources: readonly AddressSource[];
  /** Milliseconds between two lookups of a name. */
  readonly intervalMs: number;
  readonly log: Logger;
  readonly onChange: (addresses: readonly Resolved[]) => void;
  readonly lookup?: Lookup;
}

export interface Resolver {
  /** Reports the fixed addresses at once; resolves when the first lookup of every name has succeeded or failed. */
  start(): Promise<void>;
  stop(): void;
}

const lookupAll: Lookup = (host) => systemLookup(host, { all: true });

/** Tracks the addresses of a service. A name that no longer resolves keeps its last addresses. */
export function createResolver({
  sources,
  intervalMs,
  log,
  onChange,
  lookup = lookupAll,
}: ResolverOptions): Resolver {
  const resolved = sources.map((source): readonly Resolved[] =>
    source.kind === 'fixed' ? [{ address: source.address }] : [],
  );
  const timers = new Set<NodeJS.Timeout>();
  const failing = new Set<number>();
  let stopped = false;

  async function resolveName(index: number, host: string, port: number): Promise<void> {
    const addresses = await lookup(host).catch((error: unknown) => {
      if (!failing.has(index))
        log.warn({ err: error, host }, 'name not resolved; keeping its last addresses');
      failing.add(index);
      return undefined;
    });
    if (stopped) return;
    if (addresses !== undefined) {
      failing.delete(index);
      const authority = `${host}:${port}`;
      resolved[index] = addresses.map(({ address }) => ({ address: joinAddress(address, port), authority }));
      onChange(resolved.flat());
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      void resolveName(index, host, port);
    }, intervalMs).unref();
    timers.add(timer);
  }

  return {
    start: async () => {
      onChange(resolved.flat());
      await Promise.all(
        sources.map((source, index) =>
          source.kind === 'dns' ? resolveName(index, source.host, source.port) : undefined,
        ),
      );
    },
    stop: () => {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
