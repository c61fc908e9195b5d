import type { Logger } from 'pino';
import type { Method } from '../../runtime/method.ts';
import { Status, statusName } from '../../runtime/status.ts';
import { within } from '../../runtime/timeout.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { parseAddresses } from './addresses.ts';
import { beginCallSpan, endCallSpan } from './call-span.ts';
import { classify } from './classifier.ts';
import { type Cause, createEndpoint, type Endpoint } from './endpoint.ts';
import type { FeedDefinition } from './feed.ts';
import { checkHealth } from './health.ts';
import { createResolver, type Lookup, type Resolved } from './resolver.ts';
import type { Caller, CallResult, RequestOptions } from './service-client.ts';
import { type CallOptions, type Outcome, StreamBrokenError, type Transport } from './transport.ts';

export interface CallerOptions {
  /** Name in the registry: `mserv1`. */
  readonly service: string;
  /** `host:port`, `[ipv6]:port` or `dns:///host:port`, several with commas. */
  readonly addresses: string;
  /** For a call that brings none of its own. All its attempts share it. */
  readonly deadlineMs: number;
  readonly log: Logger;
  /** Without it, nothing is encrypted. */
  readonly tls?: TlsMaterial | undefined;
  /** Told of every attempt: the rpc's full name, the status that it ended with, and how long it took, in seconds. */
  readonly onCall?: (rpc: string, status: string, seconds: number) => void;
  /** How the service tells of changes, if that is wanted. */
  readonly feed?: FeedDefinition | undefined;
  /** Milliseconds between two health checks of an address that cannot be reached. Default 250. */
  readonly probeIntervalMs?: number;
  /** How long such a check may take. Default 1000. */
  readonly probeDeadlineMs?: number;
  /** How long a channel may be without a connection before it is made anew, in milliseconds. Default 5000. */
  readonly stuckMs?: number;
  /** Milliseconds between two look-ups of a `dns:///` name. Default 5000. */
  readonly resolveIntervalMs?: number;
  /** Default: as the machine resolves names. */
  readonly lookup?: Lookup;
  /** Monotonic clock, in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

/** `start` does not wait longer than this for names; addresses that come later are used all the same. */
const slowestNameMs = 1_000;

/** A stream sends something, if only an empty message, much more often than this. */
const streamIdleMs = 10_000;

/** A call is tried at one address, and when that one cannot be reached at one other. */
const mostAttempts = 2;

/**
 * Calls a service over all of its addresses, taking turns. Throws `BadAddressError`. Connects on `start`, which waits
 * for one health check of each address, so that the first caller does not have to find out that one is down.
 */
export function createCaller(options: CallerOptions): Caller {
  const { service, deadlineMs, onCall, now = () => performance.now() } = options;
  const log = options.log.child({ service });
  const listeners = new Set<(reachable: boolean) => void>();
  let endpoints: readonly Endpoint[] = [];
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
    const wanted = new Map(addresses.map((resolved) => [resolved.address, resolved]));
    endpoints = [...wanted.values()].map(
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
          onChange: tellReachable,
        }),
    );
    for (const [address, endpoint] of before) if (!wanted.has(address)) endpoint.close();
    tellReachable();
  }

  function tellReachable(): void {
    const next = endpoints.some(isClosed);
    if (next === reachable) return;
    reachable = next;
    for (const listener of listeners) listener(reachable);
  }

  /** The next address in turn whose breaker is closed. */
  function pick(tried: readonly Endpoint[]): Endpoint | undefined {
    for (let step = 0; step < endpoints.length; step++) {
      const endpoint = endpoints[turn++ % endpoints.length];
      if (endpoint !== undefined && isClosed(endpoint) && !tried.includes(endpoint)) return endpoint;
    }
    return undefined;
  }

  /** Tries an address, and when it is not reached one other. All attempts share the deadline. */
  async function attempt<Answer>(
    { repeatable, fullName }: Pick<Method, 'repeatable' | 'fullName'>,
    callOptions: RequestOptions,
    makeCall: (transport: Transport, options: CallOptions) => Promise<Outcome<Answer>>,
  ): Promise<CallResult<Answer>> {
    const { signal, requestId } = callOptions;
    if (signal.aborted) return { kind: 'gone' };
    const endsAt = now() + (callOptions.deadlineMs ?? deadlineMs);
    const tried: Endpoint[] = [];
    let result: CallResult<Answer> | undefined;
    while (tried.length < mostAttempts) {
      const endpoint = pick(tried);
      const leftMs = Math.ceil(endsAt - now());
      if (endpoint === undefined || leftMs <= 0) break;
      tried.push(endpoint);
      const { address, transport, breaker } = endpoint;
      const begun = now();
      const span = beginCallSpan(fullName, callOptions.traceparent, address);
      const { traceparent } = span;
      const outcome = await makeCall(transport, { ...callOptions, deadlineMs: leftMs, traceparent });
      endCallSpan(span, outcome.ok ? Status.OK : outcome.failure.code);
      onCall?.(fullName, statusName(outcome.ok ? Status.OK : outcome.failure.code), (now() - begun) / 1000);
      if (outcome.ok) return { kind: 'verdict', verdict: outcome, address };
      const { failure } = outcome;
      const means = classify(failure);
      if (means.kind === 'gone') return means;
      if (means.kind === 'verdict') {
        if (failure.origin === 'client')
          log.error({ address, failure, requestId }, 'the answer cannot be read');
        return { kind: 'verdict', verdict: { ok: false, code: means.code, message: means.message }, address };
      }
      const { proxyError } = means;
      if (means.opensBreaker) breaker.open({ failure, proxyError });
      log.debug({ address, failure, requestId }, 'not reached');
      // Of two failures the one that is told is the one whose request was under way: it may have done harm.
      if (result === undefined || failure.sent)
        result = { kind: 'unreachable', address, failure, proxyError };
      if (failure.sent && !repeatable) break;
    }
    return result ?? notTried();
  }

  /** A stream that breaks after it was heard is told to whoever reads it, and here. */
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
        // What a handler says is its verdict on a request, and in its own log.
        const ordinary = classify(failure).kind === 'verdict' && failure.origin === 'server';
        log[ordinary ? 'debug' : 'warn']({ address, failure, requestId }, 'the stream broke');
      }
      throw error;
    }
  }

  /** What is told when no address can be tried: why the first of them cannot. */
  function notTried(): CallResult<never> & { kind: 'unreachable' } {
    const [first] = endpoints;
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
    addresses: () => endpoints.map(({ address, breaker }) => ({ address, breaker: breaker.state.kind })),
    probe: (timeoutMs) =>
      Promise.all(
        endpoints.map(async ({ address, transport }) => {
          const startedAt = now();
          const failure = await checkHealth(transport, timeoutMs);
          return { address, ok: failure === undefined, latencyMs: now() - startedAt };
        }),
      ),
    onReachable: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start: async () => {
      await within(slowestNameMs, resolver.start());
      await Promise.all(endpoints.map(({ breaker }) => breaker.check()));
    },
    stop: async () => {
      resolver.stop();
      for (const endpoint of endpoints) endpoint.close();
      endpoints = [];
      tellReachable();
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
