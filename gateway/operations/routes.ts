import Router from '@koa/router';
import type { Caller } from '../calls/caller.ts';
import { answerOrAccept } from '../calls/fallback.ts';
import { goneSignal } from '../http/gone.ts';
import { formatoOf } from '../http/negotiate.ts';
import { type Preferences, parsePrefer, preferenceApplied } from '../http/prefer.ts';
import { readQuery } from '../http/query.ts';
import { renderVerdict } from '../http/render.ts';
import { sendAnswer } from '../http/send.ts';
import type { Context, State } from '../http/state.ts';
import type { Service } from '../services.ts';
import type { Accept } from '../solicitudes/acceptance.ts';
import { sendEnd, sendPending } from '../solicitudes/answers.ts';
import type { DrainRate } from '../solicitudes/drain-rate.ts';
import {
  type Acceptance,
  type Ledger,
  LedgerUnavailableError,
  type Solicitud,
} from '../solicitudes/ledger.ts';
import { readSolicitud } from '../solicitudes/reading.ts';
import { TooManyWaitersError, type Waiters } from '../solicitudes/waiters.ts';
import type { Operation, View } from './operation.ts';
import { serveStream } from './streaming.ts';
import { refuseUnreachable, tellNextHop } from './unreachable.ts';

export interface OperationsDeps {
  readonly services: readonly Service[];
  /** The caller of a service, by the service's name. */
  readonly caller: (service: string) => Caller;
  readonly accept: Accept;
  readonly ledger: Ledger;
  readonly waiters: Waiters;
  readonly drain: DrainRate;
  /** A client of a stream that takes nothing for so long is disconnected, milliseconds. */
  readonly streamStallMs: number;
}

/** One route per operation of the registry. */
export function operationRoutes(deps: OperationsDeps): Router<State> {
  const router = new Router<State>();
  for (const service of deps.services) {
    for (const operation of service.operations) {
      router.get(`/${operation.name}`, (ctx) => serve(ctx, service.name, operation, deps));
    }
  }
  return router;
}

async function serve(
  ctx: Context,
  service: string,
  operation: Operation,
  deps: OperationsDeps,
): Promise<void> {
  ctx.vary('Accept');
  const query = readQuery(ctx.state.target);
  const parsed = operation.parse(query);
  const { request } = parsed;
  const formato = formatoOf(operation, parsed.formato, ctx.get('Accept'));
  const prefer = parsePrefer(ctx.get('Prefer'));
  const caller = deps.caller(service);
  if (formato === 'ndjson') {
    if (operation.stream === undefined) throw new TypeError(`${operation.name} has no stream`);
    const { streamStallMs: stallMs } = deps;
    return serveStream(ctx, operation, operation.stream, { request, query, prefer }, { caller, stallMs });
  }
  const { target, idioma, requestId, traceparent } = ctx.state;
  const view: View = { target, idioma, formato };
  const signal = goneSignal(ctx);
  const ask = { service, operation, request, view, requestId, traceparent, signal };
  const ending = await answerOrAccept(
    { ...ask, caller: ctx.state.caller, deferrable: ctx.method === 'GET', respondAsync: prefer.respondAsync },
    caller,
    deps.accept,
  );
  switch (ending.kind) {
    case 'answered':
      sendAnswer(ctx, renderVerdict(operation, ending.verdict, view), 'grpc');
      return;
    case 'gone':
      ctx.status = 499;
      return;
    case 'unavailable':
      return refuseUnreachable(ctx, ending.because);
    case 'accepted':
      if (ending.because !== undefined) tellNextHop(ctx, ending.because);
      await sendAccepted(ctx, ending.acceptance, prefer, signal, deps);
  }
}

/** The 202, or, when the caller prefers to wait and the answer comes in time, the answer. */
async function sendAccepted(
  ctx: Context,
  acceptance: Acceptance,
  prefer: Preferences,
  signal: AbortSignal,
  { ledger, waiters, drain }: OperationsDeps,
): Promise<void> {
  const { respondAsync } = prefer;
  let { wait } = prefer;
  let row: Solicitud | undefined;
  try {
    const limit = wait === undefined ? undefined : { ms: wait * 1000, signal };
    if (limit !== undefined) row = await readSolicitud({ ledger, waiters }, acceptance.id, limit);
  } catch (err) {
    // It is committed already, so its id is what the caller needs most.
    if (!(err instanceof TooManyWaitersError || err instanceof LedgerUnavailableError)) throw err;
    wait = undefined;
  }
  const applied = preferenceApplied({ respondAsync, wait });
  if (applied !== undefined) ctx.set('Preference-Applied', applied);
  if (row?.closedAt === undefined)
    return sendPending(ctx, row ?? acceptance, drain.retryAfter(acceptance.service));
  ctx.set('Content-Location', `${ctx.state.prefix}/solicitudes/${row.id}/respuesta`);
  await sendEnd(ctx, row, ledger);
}
