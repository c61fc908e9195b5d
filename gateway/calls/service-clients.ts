import type { Logger } from 'pino';
import type { Part } from '../../runtime/lifecycle.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { coalesce } from './coalescing.ts';
import type { FeedMethod } from './feed.ts';
import { createServiceClient } from './load-balanced-client.ts';
import type { ServiceClient } from './service-client.ts';

export interface ServiceClientsOptions {
  readonly services: readonly { readonly name: string; readonly feed?: FeedMethod }[];
  /** The value of each `<NAME>_URL`, by the service's name. */
  readonly urls: ReadonlyMap<string, string>;
  readonly deadlineMs: number;
  readonly tls: TlsMaterial | undefined;
  /** Whether to follow the feeds, which only the cache needs. */
  readonly feeds: boolean;
  /** Told of each attempt, as `onCall` of `createServiceClient` is. */
  readonly onCall: (service: string, rpc: string, status: string, seconds: number) => void;
  readonly log: Logger;
}

/** The clients of all services of the registry. */
export interface ServiceClients {
  readonly all: readonly ServiceClient[];
  /** Returns the client of a service, by its name. */
  client(service: string): ServiceClient;
  /** Returns the call of a service's client, coalesced: equal requests share calls. */
  coalescedCall(service: string): ServiceClient['call'];
  readonly parts: readonly Part[];
}

/** Opens a client per service. They connect when their parts start. */
export function openServiceClients(options: ServiceClientsOptions): ServiceClients {
  const { services, urls, deadlineMs, tls, feeds, onCall, log } = options;
  const clients = new Map(
    services.map(({ name: service, feed }) => {
      const client = createServiceClient({
        service,
        addresses: urls.get(service) ?? '',
        deadlineMs,
        tls,
        feed: feeds ? feed : undefined,
        log,
        onCall: (rpc, status, seconds) => onCall(service, rpc, status, seconds),
      });
      const call = coalesce(client.call, {
        deadlineMs,
        now: () => performance.now(),
        nextHop: () => client.addresses().find(({ unused }) => !unused)?.address ?? '',
      });
      return [service, { client, call }];
    }),
  );
  const of = (service: string) => {
    const found = clients.get(service);
    if (found === undefined) throw new TypeError(`No service ${service}`);
    return found;
  };
  const all = [...clients.values()].map(({ client }) => client);
  return {
    all,
    client: (service) => of(service).client,
    coalescedCall: (service) => of(service).call,
    parts: all.map((client) => ({
      name: `calls to ${client.service}`,
      start: () => client.start(),
      stop: () => client.stop(),
    })),
  };
}
