import type { Method } from '../../runtime/method.ts';
import type { FeedSession } from './feed-session.ts';
import type { CallOptions, Failure, StreamCall } from './transport.ts';
import type { Verdict } from './verdict.ts';

/** Proxy error types of RFC 9209, section 2.3, as far as they are used here. */
export type ProxyError =
  | 'connection_refused'
  | 'connection_terminated'
  | 'connection_timeout'
  | 'connection_limit_reached'
  | 'destination_unavailable'
  | 'dns_error'
  | 'http_response_timeout';

export type CallResult<Response = unknown> =
  /** The service spoke: whatever it said is the answer. */
  | { readonly kind: 'verdict'; readonly verdict: Verdict<Response>; readonly address: string }
  /** The service could not be reached, or its answer never came: a repeatable request may take the queue. */
  | {
      readonly kind: 'unreachable';
      readonly address: string;
      readonly failure: Failure;
      readonly proxyError: ProxyError;
    }
  /** Our caller went away: nobody waits for an answer. */
  | { readonly kind: 'gone' };

/** Without `deadlineMs` the configured deadline holds; it bounds all attempts together. */
export type RequestOptions = Omit<CallOptions, 'deadlineMs'> & { readonly deadlineMs?: number };

/** What is known of one address of a service, for /salud. */
export interface AddressState {
  readonly address: string;
  readonly breaker: 'closed' | 'open';
}

/** Calls one service, over all of its addresses, with the policy of DESIGN section 4. */
export interface Caller {
  readonly service: string;
  /** Whether some address can be tried: its breaker is closed. */
  readonly reachable: boolean;
  /** Never rejects. */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: RequestOptions,
  ): Promise<CallResult<Response>>;
  /**
   * The same for a stream. The deadline is for the time until the service is heard; until then its failures mean what they
   * mean for a call. Afterwards the iteration of the responses throws `StreamBrokenError`.
   */
  stream<Request, Response>(
    call: StreamCall<Request, Response>,
    options: RequestOptions,
  ): Promise<CallResult<AsyncIterable<Response>>>;
  addresses(): readonly AddressState[];
  /** What this address tells of changes; undefined while it is not heard. */
  session(address: string): FeedSession | undefined;
  /** Asks every address for its health (grpc.health.v1), each within `timeoutMs`. */
  probe(
    timeoutMs: number,
  ): Promise<readonly { readonly address: string; readonly ok: boolean; readonly latencyMs: number }[]>;
  /** Tells when `reachable` changes; gives the function that ends it. */
  onReachable(listener: (reachable: boolean) => void): () => void;
  start(): Promise<void>;
  /** May be called twice, and before `start`. */
  stop(): Promise<void>;
}
