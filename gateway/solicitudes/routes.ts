import Router from '@koa/router';
import { disconnectSignal } from '../http/disconnect-signal.ts';
import { assertMayChange } from '../http/preconditions.ts';
import { parsePrefer, preferenceApplied } from '../http/prefer.ts';
import { ProblemError } from '../http/problem.ts';
import type { State } from '../http/state.ts';
import { quotaKeyOf } from '../limits/quota-key.ts';
import type { Completion } from './completion.ts';
import { describeAccepted } from './description.ts';
import { type EventsDeps, sendEvents } from './events.ts';
import { findSolicitud } from './finding.ts';
import { listQuarantine, listSolicitudes } from './listing.ts';
import { type ResponsesDeps, sendEnd, sendPending } from './responses.ts';
import { type RetryingDeps, retrySolicitud } from './retrying.ts';
import { waitUntilClosed } from './waiting.ts';

export interface SolicitudesDeps extends ResponsesDeps, EventsDeps, RetryingDeps {
  readonly completion: Completion;
}

/** Routes `/solicitudes` and `/cuarentena`: accepted requests, their states and their answers. */
export function solicitudesRoutes(deps: SolicitudesDeps): Router<State> {
  const { ledger, completion, drain } = deps;
  const router = new Router<State>();

  router.get('/solicitudes', (ctx) => listSolicitudes(ctx, ledger));

  router.get('/solicitudes/:id', async (ctx) => {
    const row = await findSolicitud(ctx, ctx.params['id'], ledger);
    if (row.closedAt === undefined) ctx.set('Retry-After', String(drain.retryAfter(row.service)));
    ctx.set('Cache-Control', 'no-store');
    ctx.body = describeAccepted(row, ctx.state.prefix);
  });

  router.get('/solicitudes/:id/respuesta', async (ctx) => {
    const { wait } = parsePrefer(ctx.get('Prefer'));
    let row = await findSolicitud(ctx, ctx.params['id'], ledger);
    if (row.closedAt === undefined && wait !== undefined && wait > 0) {
      row =
        (await waitUntilClosed(deps, row.id, {
          quotaKey: quotaKeyOf(ctx.state),
          ms: wait * 1000,
          signal: disconnectSignal(ctx),
        })) ?? row;
    }
    const applied = preferenceApplied({ wait });
    if (applied !== undefined) ctx.set('Preference-Applied', applied);
    if (row.closedAt === undefined) sendPending(ctx, row, drain.retryAfter(row.service));
    else await sendEnd(ctx, row, ledger);
  });

  router.get('/solicitudes/:id/eventos', async (ctx) =>
    sendEvents(ctx, await findSolicitud(ctx, ctx.params['id'], ledger), deps),
  );

  router.delete('/solicitudes/:id', async (ctx) => {
    const row = await findSolicitud(ctx, ctx.params['id'], ledger);
    if (row.closedAt === undefined) {
      assertMayChange(ctx);
      await completion.end(row, 'cancelada');
    }
    const now = await findSolicitud(ctx, row.id, ledger);
    // Another final state may have won. Cancelling twice is not an error.
    if (now.state !== 'cancelada')
      throw new ProblemError('solicitud-terminada', { values: { estado: now.state } });
    ctx.set('Cache-Control', 'no-store');
    ctx.body = describeAccepted(now, ctx.state.prefix);
  });

  router.get('/cuarentena', (ctx) => listQuarantine(ctx, ledger));

  router.post('/cuarentena/:id/reintentar', async (ctx) =>
    retrySolicitud(ctx, await findSolicitud(ctx, ctx.params['id'], ledger), deps),
  );

  return router;
}
