import type { handleUnaryCall, ServerUnaryCall } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { StatusError, toStatusError } from '../errors.ts';
import type { CallContext, ServedMethod } from '../handlers.ts';
import { toRequestId } from '../request-id.ts';
import { Status, statusName } from '../status.ts';
import { readTraceContext } from '../tracing/traceparent.ts';
import { beginSpan } from '../tracing/tracing.ts';
import type { CallsInFlight } from './calls-in-flight.ts';

/** Metadata key of a request's id. */
export const requestIdKey = 'x-request-id';
/** Metadata key that marks a call for an accepted request: see `CallContext.queued`. */
export const queuedKey = 'x-en-cola';

/** The part of grpc-js's server calls that is used here. */
export type ServerCall = Pick<ServerUnaryCall<unknown, unknown>, 'cancelled' | 'getDeadline' | 'metadata'> & {
  once(event: 'cancelled', listener: () => void): unknown;
  off(event: 'cancelled', listener: () => void): unknown;
};

/** Dependencies that all calls of a server share. */
export interface CallDeps {
  readonly log: Logger;
  readonly calls: CallsInFlight;
}

/** Status that ends a call, in the form of grpc-js. */
export interface CallFailure {
  readonly code: Status;
  readonly details: string;
}

export interface CallWork {
  /** Answers the call. Fields added to `logFields` appear in the call's log line. */
  run(context: CallContext, logFields: Record<string, unknown>): Promise<void>;
  fail(failure: CallFailure): void;
}

/** Serves one unary method. */
export function unaryHandler(
  { method, handle }: ServedMethod,
  deps: CallDeps,
): handleUnaryCall<unknown, unknown> {
  return (call, callback) =>
    void runCall(call, method.fullName, deps, {
      run: async (context) => {
        callback(null, await handle(call.request, context));
      },
      fail: callback,
    });
}

/** Runs a handler with its context, maps its error to a status, and logs one line. Never rejects. */
export async function runCall(
  call: ServerCall,
  method: string,
  { log, calls }: CallDeps,
  work: CallWork,
): Promise<void> {
  const startedAt = performance.now();
  const requestId = toRequestId(call.metadata.get(requestIdKey)[0]);
  const callLog = log.child({ requestId });
  const [traceparent] = call.metadata.get('traceparent');
  const context = readTraceContext(traceparent, call.metadata.get('tracestate').join(','));
  const span = beginSpan(method, 'server', context, { 'rpc.system': 'grpc' });
  const abort = new AbortController();
  const stopWatching = abortWithCaller(call, abort);
  calls.enter(abort);
  const logFields: Record<string, unknown> = {};
  const finish = (code: Status, detail?: string): void => {
    span.end({ attributes: { 'rpc.grpc.status_code': code }, failed: code !== Status.OK });
    const ms = Math.round((performance.now() - startedAt) * 10) / 10;
    callLog.info({ transport: 'grpc', method, code: statusName(code), ...logFields, detail, ms }, 'call');
  };
  try {
    const queued = call.metadata.get(queuedKey).length > 0;
    const { stopping } = calls;
    await work.run({ signal: abort.signal, requestId, queued, stopping, log: callLog }, logFields);
    finish(Status.OK);
  } catch (thrown) {
    const error = statusOf(thrown, abort.signal);
    if (error.code === Status.INTERNAL) callLog.error({ err: thrown }, 'a handler failed');
    work.fail({ code: error.code, details: error.message });
    finish(error.code, error.message);
  } finally {
    stopWatching();
    calls.leave(abort);
  }
}

/**
 * Returns the status of a thrown error. When the handler obeyed its aborted signal, that is the abort's reason.
 */
function statusOf(thrown: unknown, signal: AbortSignal): StatusError {
  const obeyed = signal.aborted && thrown instanceof Error && thrown.name === 'AbortError';
  return toStatusError(obeyed ? signal.reason : thrown);
}

/**
 * Aborts when the caller cancels, disconnects, or exceeds its deadline. Returns a function that ends the watch.
 */
function abortWithCaller(call: ServerCall, abort: AbortController): () => void {
  const gone = (): void => abort.abort(new StatusError(Status.CANCELLED, undefined, 'The caller is gone'));
  const late = (): void => abort.abort(new StatusError(Status.DEADLINE_EXCEEDED, undefined, 'Too late'));
  call.once('cancelled', gone);
  if (call.cancelled) gone();
  // A suspended caller keeps its stream open beyond its deadline.
  const deadline = Number(call.getDeadline());
  const timer = Number.isFinite(deadline) ? setTimeout(late, deadline - Date.now()) : undefined;
  return () => {
    clearTimeout(timer);
    call.off('cancelled', gone);
  };
}
