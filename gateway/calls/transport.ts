import type { Method } from '../../runtime/method.ts';
import type { Status } from '../../runtime/status.ts';

export interface CallOptions {
  /** Milliseconds from now; every call has one. */
  readonly deadlineMs: number;
  /** The caller's: aborted when it no longer wants the answer. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** W3C trace context of the request; empty: none. */
  readonly traceparent: string;
}

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

/** One way to one address of a service. Never throws and never rejects: every end of a call is an `Outcome`. */
export interface Transport {
  readonly address: string;
  unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Outcome<Response>>;
  close(): void;
}
