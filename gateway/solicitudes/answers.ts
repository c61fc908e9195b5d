import { ProblemError } from '../http/problem.ts';
import { sendAnswer } from '../http/send.ts';
import type { Context } from '../http/state.ts';
import { describeSolicitud } from './description.ts';
import type { Acceptance, Ledger, Solicitud } from './ledger.ts';

/** 202: accepted and committed, not answered yet. */
export function sendPending(
  ctx: Context,
  row: Acceptance & Partial<Solicitud>,
  retryAfterSeconds: number,
): void {
  const description = describeSolicitud(row, ctx.state.prefix);
  ctx.status = 202;
  ctx.set('Location', description.enlaces.estado);
  ctx.set('Retry-After', String(retryAfterSeconds));
  ctx.set('Cache-Control', 'no-store');
  ctx.set('Servido-Por', 'cola');
  ctx.state.servidoPor = 'cola';
  ctx.body = description;
}

/** The end of a closed solicitud: its stored answer, or the problem that says why there is none. */
export async function sendEnd(ctx: Context, row: Solicitud, ledger: Ledger): Promise<void> {
  switch (row.state) {
    case 'completada': {
      const answer = await ledger.answer(row.id);
      if (answer === undefined) throw new ProblemError('solicitud-no-encontrada');
      sendAnswer(ctx, answer, 'cola');
      return;
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
