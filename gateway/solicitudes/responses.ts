import { sendAnswer } from '../answers/sender.ts';
import { type Preferences, preferenceApplied } from '../http/prefer.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';
import { LimitReachedError } from '../limits/per-caller-limit.ts';
import { quotaKeyOf } from '../limits/quota-key.ts';
import type { Accepted } from './acceptance.ts';
import { describeAccepted } from './description.ts';
import type { DrainRate } from './drain-rate.ts';
import { type Ledger, LedgerUnavailableError, type Solicitud } from './ledger.ts';
import type { Waiters } from './waiters.ts';
import { waitUntilClosed } from './waiting.ts';

export interface ResponsesDeps {
  readonly ledger: Ledger;
  readonly waiters: Waiters;
  readonly drain: DrainRate;
}

/**
 * Sends the 202 of an accepted request, or its answer if that arrives within `Prefer: wait`. `signal` aborts when the
 * client disconnects. `motivo`: why the service says that it cannot answer now, such as `raiz-no-disponible`.
 */
export async function sendAccepted(
  ctx: Context,
  accepted: Accepted,
  prefer: Preferences,
  signal: AbortSignal,
  { ledger, waiters, drain }: ResponsesDeps,
  motivo?: string,
): Promise<void> {
  const { respondAsync } = prefer;
  let { wait } = prefer;
  let row = accepted;
  try {
    if (wait !== undefined && wait > 0 && row.closedAt === undefined) {
      row =
        (await waitUntilClosed({ ledger, waiters }, row.id, {
          quotaKey: quotaKeyOf(ctx.state),
          ms: wait * 1000,
          signal,
        })) ?? row;
    }
  } catch (err) {
    // The request is committed, so the client needs its id most.
    if (!(err instanceof LimitReachedError || err instanceof LedgerUnavailableError)) throw err;
    wait = undefined;
  }
  const applied = preferenceApplied({ respondAsync, wait });
  if (applied !== undefined) ctx.set('Preference-Applied', applied);
  // Without a wait the answer is a 202, even for a request answered earlier (`Idempotency-Key`).
  if (row.state === undefined || row.closedAt === undefined || wait === undefined) {
    return sendPending(ctx, row, drain.retryAfter(row.service), motivo);
  }
  ctx.set('Content-Location', `${ctx.state.prefix}/solicitudes/${row.id}/respuesta`);
  await sendEnd(ctx, { id: row.id, state: row.state }, ledger);
}

/** Sends a 202: accepted and committed. */
export function sendPending(ctx: Context, row: Accepted, retryAfterSeconds: number, motivo?: string): void {
  const description = describeAccepted(row, ctx.state.prefix);
  ctx.status = 202;
  ctx.set('Location', description.enlaces.estado);
  if (row.closedAt === undefined) ctx.set('Retry-After', String(retryAfterSeconds));
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Servido-Por', 'cola');
  ctx.state.servidoPor = 'cola';
  ctx.body = motivo === undefined ? description : { ...description, motivo };
}

/** Sends the end of a closed solicitud: its stored answer, or the problem that explains its absence. */
export async function sendEnd(
  ctx: Context,
  row: Pick<Solicitud, 'id' | 'state'>,
  ledger: Pick<Ledger, 'answer'>,
): Promise<void> {
  switch (row.state) {
    case 'completada': {
      const answer = await ledger.answer(row.id);
      if (answer === undefined) throw new ProblemError('solicitud-no-encontrada');
      return sendAnswer(ctx, answer, 'cola');
    }
    case 'fallida':
      throw new ProblemError('solicitud-fallida');
    case 'vencida':
      throw new ProblemError('solicitud-vencida');
    case 'cancelada':
      throw new ProblemError('solicitud-cancelada');
    default:
      throw new TypeError(`solicitud ${row.id} is open`);
  }
}
