import { formatoOf } from '../answers/negotiation.ts';
import { disconnectSignal } from '../http/disconnect-signal.ts';
import { parseIdempotencyKey } from '../http/idempotency-key.ts';
import { type Preferences, parsePrefer } from '../http/prefer.ts';
import { readQuery } from '../http/query.ts';
import type { Context } from '../http/state.ts';
import type { Formato, Operation } from '../operations/operation.ts';

/** A request for an operation, as parsed. */
export interface ServedRequest {
  readonly service: string;
  readonly operation: Operation;
  readonly query: URLSearchParams;
  /** The request message. */
  readonly message: unknown;
  readonly formato: Formato;
  readonly prefer: Preferences;
  /** `Idempotency-Key`, of a GET that is not streamed. */
  readonly key: string | undefined;
  /** Whether it may be answered later: the method is GET, and the proto marks the rpc as repeatable. */
  readonly deferrable: boolean;
  readonly caller: string;
  readonly requestId: string;
  readonly traceparent: string;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
  /** When the request arrived here, monotonic, in milliseconds. */
  readonly arrivedAt: number;
}

/**
 * Parses a request for an operation.
 * @throws BadQueryError for the query, ProblemError for `Accept` and `Idempotency-Key`
 */
export function parseRequest(ctx: Context, service: string, operation: Operation): ServedRequest {
  const arrivedAt = performance.now();
  const query = readQuery(ctx.state.target);
  const parsed = operation.parse(query);
  const message = parsed.request;
  const formato = formatoOf(operation, parsed.formato, ctx.get('Accept'));
  const isGet = ctx.method === 'GET';
  const { caller, requestId, traceparent } = ctx.state;
  return {
    service,
    operation,
    query,
    message,
    formato,
    caller,
    requestId,
    traceparent,
    arrivedAt,
    prefer: parsePrefer(ctx.get('Prefer')),
    // A stream is never queued, so it ignores the key.
    key: isGet && formato !== 'ndjson' ? parseIdempotencyKey(ctx.get('Idempotency-Key')) : undefined,
    deferrable: isGet && operation.method.repeatable,
    signal: disconnectSignal(ctx),
  };
}
