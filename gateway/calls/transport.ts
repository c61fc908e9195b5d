import type { BidirectionalMethod, Method, ServerStreamMethod } from '../../runtime/method.ts';
import type { Status } from '../../runtime/status.ts';

export interface CallOptions {
  /** Milliseconds from now; every call has one. */
  readonly deadlineMs: number;
  /** The caller's: aborted when it no longer wants the answer. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** W3C trace context of the request; empty: none. */
  readonly traceparent: string;
  /** The request was accepted and can wait: a service that does not know everything yet had better say so. */
  readonly queued?: boolean;
}

export interface StreamOptions extends CallOptions {
  /** Milliseconds until the service is heard: its first message, or, where both sides speak, its headers. */
  readonly deadlineMs: number;
  /** Then, how long it may say nothing while it is waited for, in milliseconds. Not where both sides speak. */
  readonly idleMs: number;
}

/** What is called, and with what. Of `requests` nothing is taken before the service is heard. */
export type StreamCall<Request = unknown, Response = unknown> =
  | { readonly method: ServerStreamMethod<Request, Response>; readonly request: Request }
  | { readonly method: BidirectionalMethod<Request, Response>; readonly requests: AsyncIterable<Request> };

/** Why a call brought no answer, with what is needed to judge it. A status code alone says too little. */
export interface Failure {
  readonly code: Exclude<Status, 0>;
  readonly message: string;
  /**
   * Who made the status: the server (it came with gRPC headers or trailers), our own gRPC client, or something on the
   * way that answered but speaks no gRPC (a proxy's error page).
   */
  readonly origin: 'server' | 'client' | 'intermediary';
  /** Whether the request may have been worked on. A stream that the server refused was not (RFC 9113, section 8.7). */
  readonly sent: boolean;
  /** Whether our caller went away (its `signal`). */
  readonly cancelledByUs: boolean;
}

export type Outcome<Response> =
  | { readonly ok: true; readonly response: Response }
  | { readonly ok: false; readonly failure: Failure };

/** A stream that had been heard ended before its end. */
export class StreamBrokenError extends Error {
  override readonly name = 'StreamBrokenError';
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

/** One way to one address of a service. Never throws and never rejects: every end of a call is an `Outcome`. */
export interface Transport {
  readonly address: string;
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Outcome<Response>>;
  /**
   * Resolves when the service is heard. The responses are iterated once; a reader that is slow holds the service, one
   * that stops ends the call, and so does `signal`, which is the only way to end it before the iteration began.
   * The iteration throws `StreamBrokenError`.
   */
  stream<Request, Response>(
    call: StreamCall<Request, Response>,
    options: StreamOptions,
  ): Promise<Outcome<AsyncIterable<Response>>>;
  close(): void;
}
