import type { Method } from '../../runtime/method.ts';
import type { Status } from '../../runtime/status.ts';

export interface CallOptions {
  /** Milliseconds from now; every call has one. */
  readonly deadlineMs: number;
  /** The caller's: aborted when it no longer wants the answer. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** W3C trace context of the request. */
  readonly traceparent: string;
}

/** Why a call brought no answer, with what is needed to judge it. A status code alone says too little. */
export interface Failure {
  readonly code: Exclude<Status, 0>;
  readonly message: string;
  /** Who made the status: the server (it came with response headers or trailers), or our own gRPC client. */
  readonly origin: 'server' | 'client';
  /** Whether the request may have reached the server. */
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
