import { goneSignal } from '../http/disconnect-signal.ts';
import { parseIdempotencyKey } from '../http/idempotency-key.ts';
import { parsePrefer } from '../http/prefer.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';
import type { Acceptor } from './acceptance.ts';
import type { Solicitud } from './ledger.ts';
import { type AnswersDeps, sendAccepted } from './responses.ts';

export interface RetryingDeps extends AnswersDeps {
  readonly acceptor: Acceptor;
}

/**
 * `POST /cuarentena/{id}/reintentar`: a new solicitud that asks for the same, in the same form. What has failed stays as
 * it is. With an `Idempotency-Key`, one retry however often it is asked for.
 */
export async function retrySolicitud(ctx: Context, failed: Solicitud, deps: RetryingDeps): Promise<void> {
  if (failed.state !== 'fallida') {
    throw new ProblemError('solicitud-no-fallida', { values: { estado: failed.state } });
  }
  const key = parseIdempotencyKey(ctx.get('Idempotency-Key'));
  // Whoever asks for it, it belongs to the one who wants the answer.
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
  await sendAccepted(ctx, accepted, parsePrefer(ctx.get('Prefer')), goneSignal(ctx), deps);
}
