import type { BidirectionalMethod, Method, ServerStreamMethod } from '../../runtime/method.ts';
import type { Status } from '../../runtime/status.ts';

export interface CallOptions {
  /** Milliseconds from now. Required for every call. */
  readonly deadlineMs: number;
  /** The request's signal: aborts when the answer is no longer needed. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** Trace context of the request (runtime/tracing/traceparent.ts); empty for none. */
  readonly traceparent: string;
  /** Whether the request comes from the ledger and may wait: a service with an incomplete index should then refuse it. */
  readonly queued?: boolean;
}

export interface StreamOptions extends CallOptions {
  /** Milliseconds until the service's first response: a message or, in a bidirectional call, its headers. */
  readonly deadlineMs: number;
  /** Maximum milliseconds between two messages while one is awaited. Ignored in bidirectional calls. */
  readonly idleMs: number;
}

/** A method and its request or requests. `requests` is not iterated before the service's first response. */
export type StreamCall<Request = unknown, Response = unknown> =
  | { readonly method: ServerStreamMethod<Request, Response>; readonly request: Request }
  | { readonly method: BidirectionalMethod<Request, Response>; readonly requests: AsyncIterable<Request> };

/** A failed call, with the facts that classify it. A status code alone is not enough. */
export interface GrpcFailure {
  readonly code: Exclude<Status, 0>;
  readonly message: string;
  /**
   * The origin of the status. `server`: it came with gRPC headers or trailers. `client`: the local gRPC client made it.
   * `intermediary`: the peer does not speak gRPC, as with a proxy's error page.
   */
  readonly origin: 'server' | 'client' | 'intermediary';
  /** Whether the request may have been processed. A stream that the server refused was not (RFC 9113, section 8.7). */
  readonly sent: boolean;
  /** Whether the request's `signal` aborted. */
  readonly cancelledByUs: boolean;
}

export type TransportResult<Response> =
  | { readonly ok: true; readonly response: Response }
  | { readonly ok: false; readonly failure: GrpcFailure };

/** A stream ended early, after its first response. */
export class StreamBrokenError extends Error {
  override readonly name = 'StreamBrokenError';
  readonly failure: GrpcFailure;

  constructor(failure: GrpcFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

/** A transport to one address of a service. Never throws or rejects: every call ends in a `TransportResult`. */
export interface Transport {
  readonly address: string;
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<TransportResult<Response>>;
  /**
   * Makes a streamed call; resolves with the service's first response. The responses may be iterated once. A slow reader
   * slows the service down; a reader that stops ends the call. Before the iteration only `signal` ends it. The iteration
   * throws `StreamBrokenError`.
   */
  stream<Request, Response>(
    call: StreamCall<Request, Response>,
    options: StreamOptions,
  ): Promise<TransportResult<AsyncIterable<Response>>>;
  close(): void;
}
