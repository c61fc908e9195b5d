import { disconnectSignal } from '../http/disconnect-signal.ts';
import { parseIdempotencyKey } from '../http/idempotency-key.ts';
import { assertMayAct } from '../http/preconditions.ts';
import { parsePrefer } from '../http/prefer.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';
import type { Acceptor } from './acceptance.ts';
import type { Solicitud } from './ledger.ts';
import { type ResponsesDeps, sendAccepted } from './responses.ts';

export interface RetryingDeps extends ResponsesDeps {
  readonly acceptor: Acceptor;
}

/**
 * Answers `POST /cuarentena/{id}/reintentar`: accepts a new solicitud for the same request and representation. The failed
 * row stays as it is. With an `Idempotency-Key`, repeated calls make one retry.
 */
export async function retrySolicitud(ctx: Context, failed: Solicitud, deps: RetryingDeps): Promise<void> {
  if (failed.state !== 'fallida') {
    throw new ProblemError('solicitud-no-fallida', { values: { estado: failed.state } });
  }
  const key = parseIdempotencyKey(ctx.get('Idempotency-Key'));
  assertMayAct(ctx);
  // The retry belongs to the original caller, also when an administrator asks for it.
  const { service, operation, request, view, caller } = failed;
  const { requestId, traceparent } = ctx.state;
  const accepted = await deps.acceptor.accept({
    service,
    operation,
    request,
    view,
    caller,
    requestId,
    traceparent,
    key,
    retryOf: failed.id,
  });
  await sendAccepted(ctx, accepted, parsePrefer(ctx.get('Prefer')), disconnectSignal(ctx), deps);
}
