import { parseStatusMessage } from '../../runtime/errors.ts';
import type { Method } from '../../runtime/method.ts';
import type { FeedSession } from './feed-session.ts';
import type { CallOptions, GrpcFailure, StreamCall } from './transport.ts';
import type { Verdict } from './verdict.ts';

/** The proxy error types of RFC 9209, section 2.3, that are used here. */
export type ProxyError =
  | 'connection_refused'
  | 'connection_terminated'
  | 'connection_timeout'
  | 'connection_limit_reached'
  | 'destination_unavailable'
  | 'dns_error'
  | 'http_response_timeout';

/** The service could not be reached, or its answer never came: a repeatable request may be queued. */
export interface Unreachable {
  readonly kind: 'unreachable';
  readonly address: string;
  readonly failure: GrpcFailure;
  readonly proxyError: ProxyError;
}

/** The end of a call. One that the service answered is its verdict as well. */
export type CallResult<Response = unknown> =
  /** The service answered, with a response or a status. */
  | (Verdict<Response> & { readonly kind: 'verdict'; readonly address: string })
  | Unreachable
  /** The request's signal aborted; the answer is no longer needed. */
  | { readonly kind: 'gone' };

/** Returns why the service itself says that it cannot answer, such as `raiz-no-disponible`; undefined if it says nothing. */
export function reasonOf({ origin, message }: GrpcFailure): string | undefined {
  return origin === 'server' ? parseStatusMessage(message).reason : undefined;
}

/** Options of a call. `deadlineMs` defaults to the configured deadline and bounds all attempts together. */
export type RequestOptions = Omit<CallOptions, 'deadlineMs'> & { readonly deadlineMs?: number };

/** The state of one address of a service, for /salud. */
export interface AddressState {
  readonly address: string;
  readonly breaker: 'closed' | 'open';
  /**
   * Set when no address of its family, IPv4 or IPv6, has ever answered for its name, and one of the other family has. It
   * is no fault of the service.
   */
  readonly unused?: boolean;
}

/** The result of an address's health check. */
export interface AddressHealth {
  readonly address: string;
  readonly ok: boolean;
  readonly latencyMs: number;
  /** Why the service itself says that it cannot answer, such as `raiz-no-disponible`. */
  readonly reason?: string | undefined;
  /** Milliseconds by which the service's clock is ahead of this one; undefined for a service that does not tell it. */
  readonly clockAheadMs?: number | undefined;
}

/** The client of one service over all of its addresses, which applies deadlines, breakers and one retry at another address. */
export interface ServiceClient {
  readonly service: string;
  /** Whether any address has a closed breaker. */
  readonly reachable: boolean;
  /** Makes a unary call. Never rejects. */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: RequestOptions,
  ): Promise<CallResult<Response>>;
  /**
   * Makes a streamed call. The deadline ends with the service's first response; failures until then are those of a unary
   * call. Later failures make the iteration of the responses throw `StreamBrokenError`.
   */
  stream<Request, Response>(
    call: StreamCall<Request, Response>,
    options: RequestOptions,
  ): Promise<CallResult<AsyncIterable<Response>>>;
  addresses(): readonly AddressState[];
  /** Returns the feed session of an address; undefined while its feed is disconnected. */
  session(address: string): FeedSession | undefined;
  /** Checks every address's health (grpc.health.v1), each within `timeoutMs`. */
  probe(timeoutMs: number): Promise<readonly AddressHealth[]>;
  /** Notifies of changes of `reachable`; returns the unsubscribe function. */
  onReachable(listener: (reachable: boolean) => void): () => void;
  start(): Promise<void>;
  /** May be called twice, and before `start`. */
  stop(): Promise<void>;
}
