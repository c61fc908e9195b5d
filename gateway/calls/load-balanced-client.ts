import type { Logger } from 'pino';
import type { Method } from '../../runtime/method.ts';
import { Status, statusName } from '../../runtime/status.ts';
import { within } from '../../runtime/timeout.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { parseAddresses } from './addresses.ts';
import { beginCallSpan, endCallSpan } from './call-span.ts';
import { classify } from './classifier.ts';
import { type Cause, createEndpoint, type Endpoint } from './endpoint.ts';
import type { FeedMethod } from './feed.ts';
import { reportHealth } from './health.ts';
import { createResolver, familyOf, type Lookup, type Resolved } from './resolver.ts';
import {
  type CallResult,
  type RequestOptions,
  reasonOf,
  type ServiceClient,
  type Unreachable,
} from './service-client.ts';
import { silentMs } from './silence.ts';
import { type CallOptions, StreamBrokenError, type Transport, type TransportResult } from './transport.ts';

export interface ServiceClientOptions {
  /** Name in the registry: `mserv1`. */
  readonly service: string;
  /** `host:port`, `[ipv6]:port` or `dns:///host:port`, several with commas. */
  readonly addresses: string;
  /** The deadline of a call that has none of its own. All its attempts share it. */
  readonly deadlineMs: number;
  readonly log: Logger;
  /** TLS material; undefined means plaintext. */
  readonly tls?: TlsMaterial | undefined;
  /** Called after each attempt with the rpc's full name, its final status and its duration in seconds. */
  readonly onCall?: (rpc: string, status: string, seconds: number) => void;
  /** The service's change feed, if it is to be followed. */
  readonly feed?: FeedMethod | undefined;
  /** Milliseconds between two health checks of an unreachable address. Default 250. */
  readonly probeIntervalMs?: number;
  /** Deadline of a health check in milliseconds. Default 1000. */
  readonly probeDeadlineMs?: number;
  /** Milliseconds without a connection after which a channel is recreated. Default 5000. */
  readonly stuckMs?: number;
  /** Milliseconds between two lookups of a `dns:///` name. Default 5000. */
  readonly resolveIntervalMs?: number;
  /** Default: the system's resolver. */
  readonly lookup?: Lookup;
  /** A monotonic clock, in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** How long `start` waits for names to resolve. Addresses that resolve later are still used. */
const maxResolveMs = 1_000;

/** Timeout between messages of a stream. A service sends far more often, if only empty messages. */
const streamIdleMs = 10_000;

/** A call that cannot reach one address is tried at one other. */
const maxAttempts = 2;

/**
 * Creates the client of a service, which balances calls over all of its addresses. Throws `BadAddressError`. `start`
 * connects and awaits one health check per address, so that no first request has to discover a dead one.
 */
export function createServiceClient(options: ServiceClientOptions): ServiceClient {
  const { service, deadlineMs, onCall, now = () => performance.now() } = options;
  const log = options.log.child({ service });
  const listeners = new Set<(reachable: boolean) => void>();
  let endpoints: readonly Endpoint[] = [];
  /** The names and address families of which an address has answered. */
  const answered = new Set<string>();
  let reachable = false;
  let turn = 0;

  const resolver = createResolver({
    sources: parseAddresses(options.addresses),
    intervalMs: options.resolveIntervalMs ?? 5_000,
    log,
    onChange: use,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  });

  function use(addresses: readonly Resolved[]): void {
    const before = new Map(endpoints.map((endpoint) => [endpoint.address, endpoint]));
    const resolvedByAddress = new Map(addresses.map((resolved) => [resolved.address, resolved]));
    endpoints = [...resolvedByAddress.values()].map(
      (resolved) =>
        before.get(resolved.address) ??
        createEndpoint(resolved, {
          probeIntervalMs: options.probeIntervalMs ?? 250,
          probeDeadlineMs: options.probeDeadlineMs ?? 1_000,
          stuckMs: options.stuckMs,
          tls: options.tls,
          feed: options.feed,
          now,
          log,
          onChange: notifyReachable,
          onAnswer: () => void answered.add(familyOf(resolved)),
        }),
    );
    for (const [address, endpoint] of before) if (!resolvedByAddress.has(address)) endpoint.close();
    notifyReachable();
  }

  function notifyReachable(): void {
    const next = endpoints.some(isClosed);
    if (next === reachable) return;
    reachable = next;
    for (const listener of listeners) listener(reachable);
  }

  /**
   * Returns whether a name's other address family answers and this one never has: its records promise more than the
   * service's host offers, which is no fault of the service.
   */
  function isUnused(endpoint: Endpoint): boolean {
    const { authority } = endpoint;
    if (authority === undefined || answered.has(familyOf(endpoint))) return false;
    return endpoints.some((other) => other.authority === authority && answered.has(familyOf(other)));
  }

  /** Returns the next address in turn whose breaker is closed. */
  function pick(tried: readonly Endpoint[]): Endpoint | undefined {
    for (let step = 0; step < endpoints.length; step++) {
      const endpoint = endpoints[turn++ % endpoints.length];
      if (endpoint !== undefined && isClosed(endpoint) && !tried.includes(endpoint)) return endpoint;
    }
    return undefined;
  }

  /** Tries an address and, if it is not reached, one other. All attempts share the deadline. */
  async function attempt<Answer>(
    { repeatable, fullName }: Pick<Method, 'repeatable' | 'fullName'>,
    callOptions: RequestOptions,
    makeCall: (transport: Transport, options: CallOptions) => Promise<TransportResult<Answer>>,
  ): Promise<CallResult<Answer>> {
    const { signal, requestId } = callOptions;
    if (signal.aborted) return { kind: 'gone' };
    const endsAt = now() + (callOptions.deadlineMs ?? deadlineMs);
    const tried: Endpoint[] = [];
    let result: Unreachable | undefined;
    while (tried.length < maxAttempts) {
      const endpoint = pick(tried);
      const leftMs = Math.ceil(endsAt - now());
      if (endpoint === undefined || leftMs <= 0) break;
      tried.push(endpoint);
      const { address, transport, breaker } = endpoint;
      const startedAt = now();
      const receivedBefore = transport.received;
      const span = beginCallSpan(fullName, callOptions.traceparent, address);
      const { traceparent } = span;
      const outcome = await makeCall(transport, { ...callOptions, deadlineMs: leftMs, traceparent });
      endCallSpan(span, outcome.ok ? Status.OK : outcome.failure.code);
      onCall?.(
        fullName,
        statusName(outcome.ok ? Status.OK : outcome.failure.code),
        (now() - startedAt) / 1000,
      );
      if (outcome.ok) return { kind: 'verdict', ...outcome, address };
      const { failure } = outcome;
      const meaning = classify(failure);
      if (meaning.kind === 'gone') return meaning;
      if (meaning.kind === 'verdict') {
        if (failure.origin === 'client')
          log.error({ address, failure, requestId }, 'response unreadable; answering INTERNAL');
        return { ...meaning, address };
      }
      const { proxyError } = meaning;
      // The next call would wait as long, and a breaker that opens wrongly closes with the probe that follows.
      const isSilent =
        failure.code === Status.DEADLINE_EXCEEDED &&
        leftMs >= silentMs &&
        transport.received === receivedBefore;
      if (meaning.opensBreaker || isSilent) breaker.open({ failure, proxyError });
      log.debug({ address, failure, requestId }, 'address not reached; trying another one if there is one');
      // When both attempts fail, report the one whose request was sent: the service may have processed it.
      if (result === undefined || failure.sent)
        result = { kind: 'unreachable', address, failure, proxyError };
      if (failure.sent && !repeatable) break;
    }
    return result ?? notTried();
  }

  /** Logs a stream that breaks after its start. The reader gets the error as well. */
  async function* watched<Response>(
    responses: AsyncIterable<Response>,
    address: string,
    { requestId }: RequestOptions,
  ): AsyncGenerator<Response, void> {
    try {
      yield* responses;
    } catch (error) {
      if (error instanceof StreamBrokenError && !error.failure.cancelledByUs) {
        const { failure } = error;
        // A handler's status is a verdict, which the service logs itself.
        const ordinary = classify(failure).kind === 'verdict' && failure.origin === 'server';
        log[ordinary ? 'debug' : 'warn'](
          { address, failure, requestId },
          'stream broke; the response is incomplete',
        );
      }
      throw error;
    }
  }

  /** Returns the result when no address can be tried: the cause at the first one. */
  function notTried(): Unreachable {
    const first = endpoints.find((endpoint) => !isUnused(endpoint));
    const state = first?.breaker.state;
    const cause = state?.kind === 'open' ? state.cause : unresolved;
    return { kind: 'unreachable', address: first?.address ?? options.addresses, ...cause };
  }

  return {
    service,
    get reachable() {
      return reachable;
    },
    call: (method, request, callOptions) =>
      attempt(method, callOptions, (transport, attemptOptions) =>
        transport.unary(method, request, attemptOptions),
      ),
    stream: (call, callOptions) =>
      attempt(call.method, callOptions, async (transport, attemptOptions) => {
        const outcome = await transport.stream(call, { ...attemptOptions, idleMs: streamIdleMs });
        if (!outcome.ok) return outcome;
        return { ok: true, response: watched(outcome.response, transport.address, callOptions) };
      }),
    session: (address) => endpoints.find((endpoint) => endpoint.address === address)?.feed?.session,
    addresses: () =>
      endpoints.map((endpoint) => ({
        address: endpoint.address,
        breaker: endpoint.breaker.state.kind,
        ...(isUnused(endpoint) && { unused: true }),
      })),
    probe: (timeoutMs) =>
      Promise.all(
        endpoints.map(async ({ address, transport }) => {
          const startedAt = now();
          const { failure, clockAheadMs } = await reportHealth(transport, timeoutMs);
          const reason = failure && reasonOf(failure);
          return { address, ok: failure === undefined, latencyMs: now() - startedAt, reason, clockAheadMs };
        }),
      ),
    onReachable: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start: async () => {
      await within(maxResolveMs, resolver.start());
      await Promise.all(endpoints.map(({ breaker }) => breaker.check()));
    },
    stop: async () => {
      resolver.stop();
      for (const endpoint of endpoints) endpoint.close();
      endpoints = [];
      notifyReachable();
    },
  };
}

function isClosed({ breaker }: Endpoint): boolean {
  return breaker.state.kind === 'closed';
}

const unresolved: Cause = {
  failure: {
    code: Status.UNAVAILABLE,
    message: 'The service has no address',
    origin: 'client',
    sent: false,
    cancelledByUs: false,
  },
  proxyError: 'dns_error',
};
