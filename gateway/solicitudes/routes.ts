import Router from '@koa/router';
import { validate as isUuid } from 'uuid';
import { goneSignal } from '../http/gone.ts';
import { parsePrefer, preferenceApplied } from '../http/prefer.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context, State } from '../http/state.ts';
import { sendEnd, sendPending } from './answers.ts';
import type { Closer } from './closing.ts';
import { describeSolicitud } from './description.ts';
import type { DrainRate } from './drain-rate.ts';
import type { Ledger, Solicitud } from './ledger.ts';
import { readSolicitud } from './reading.ts';
import type { Waiters } from './waiters.ts';

export interface SolicitudesDeps {
  readonly ledger: Ledger;
  readonly waiters: Waiters;
  readonly closer: Closer;
  readonly drain: DrainRate;
}

/** `/solicitudes/{id}`: what was accepted, its answer, and its cancelling. Unknown ids and foreign ones look the same. */
export function solicitudesRoutes(deps: SolicitudesDeps): Router<State> {
  const { ledger, closer, drain } = deps;

  async function find(ctx: Context, id: string | undefined, waitMs = 0): Promise<Solicitud> {
    const wait = waitMs > 0 ? { ms: waitMs, signal: goneSignal(ctx) } : undefined;
    const row = isUuid(id) ? await readSolicitud(deps, id as string, wait) : undefined;
    if (row?.caller !== ctx.state.caller) throw new ProblemError('solicitud-no-encontrada');
    return row;
  }

  const router = new Router<State>();

  router.get('/solicitudes/:id', async (ctx) => {
    const row = await find(ctx, ctx.params['id']);
    if (row.closedAt === undefined) ctx.set('Retry-After', String(drain.retryAfter(row.service)));
    ctx.set('Cache-Control', 'no-store');
    ctx.body = describeSolicitud(row, ctx.state.prefix);
  });

  router.get('/solicitudes/:id/respuesta', async (ctx) => {
    const { wait } = parsePrefer(ctx.get('Prefer'));
    const row = await find(ctx, ctx.params['id'], (wait ?? 0) * 1000);
    const applied = preferenceApplied({ wait });
    if (applied !== undefined) ctx.set('Preference-Applied', applied);
    if (row.closedAt === undefined) sendPending(ctx, row, drain.retryAfter(row.service));
    else await sendEnd(ctx, row, ledger);
  });

  router.delete('/solicitudes/:id', async (ctx) => {
    const row = await find(ctx, ctx.params['id']);
    if (row.closedAt === undefined) await closer.end(row, 'cancelada');
    const now = await find(ctx, row.id);
    // Another end may have come first, and then that is what it is. To cancel twice is no mistake.
    if (now.state !== 'cancelada')
      throw new ProblemError('solicitud-terminada', { values: { estado: now.state } });
    ctx.set('Cache-Control', 'no-store');
    ctx.body = describeSolicitud(now, ctx.state.prefix);
  });

  return router;
}
