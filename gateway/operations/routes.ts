import Router from '@koa/router';
import type { Caller } from '../calls/caller.ts';
import { answerOrAccept } from '../calls/fallback.ts';
import { goneSignal } from '../http/gone.ts';
import { parseIdempotencyKey } from '../http/idempotency-key.ts';
import { formatoOf } from '../http/negotiate.ts';
import { parsePrefer } from '../http/prefer.ts';
import { readQuery } from '../http/query.ts';
import { renderVerdict } from '../http/render.ts';
import { sendAnswer } from '../http/send.ts';
import type { Context, State } from '../http/state.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Service } from '../services.ts';
import type { Acceptor } from '../solicitudes/acceptance.ts';
import { type AnswersDeps, sendAccepted } from '../solicitudes/answers.ts';
import type { Operation, View } from './operation.ts';
import { serveStream } from './streaming.ts';
import { refuseUnreachable, tellNextHop } from './unreachable.ts';

export interface OperationsDeps extends AnswersDeps {
  readonly services: readonly Service[];
  /** The caller of a service, by the service's name. */
  readonly caller: (service: string) => Caller;
  readonly acceptor: Acceptor;
  /** A client of a stream that takes nothing for so long is disconnected, milliseconds. */
  readonly streamStallMs: number;
  readonly metrics: Pick<Metrics, 'fallback'>;
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
    const { streamStallMs: stallMs, metrics } = deps;
    return serveStream(
      ctx,
      operation,
      operation.stream,
      { request, query, prefer },
      { caller, stallMs, metrics },
    );
  }
  const { target, idioma, requestId, traceparent } = ctx.state;
  const view: View = { target, idioma, formato };
  const signal = goneSignal(ctx);
  const deferrable = ctx.method === 'GET';
  const key = deferrable ? parseIdempotencyKey(ctx.get('Idempotency-Key')) : undefined;
  const ask = { service, operation, request, view, requestId, traceparent, signal, key, deferrable };
  const ending = await answerOrAccept(
    { ...ask, caller: ctx.state.caller, respondAsync: prefer.respondAsync },
    caller,
    deps.acceptor,
  );
  switch (ending.kind) {
    case 'answered':
      return sendAnswer(ctx, renderVerdict(operation, ending.verdict, view), 'grpc');
    case 'gone':
      ctx.status = 499;
      return;
    case 'unavailable':
      deps.metrics.fallback(service, 'refused', ending.because.proxyError);
      return refuseUnreachable(ctx, ending.because);
    case 'accepted':
      deps.metrics.fallback(service, 'queued', ending.because?.proxyError ?? 'preferred');
      if (ending.because !== undefined) tellNextHop(ctx, ending.because);
      await sendAccepted(ctx, ending.accepted, prefer, signal, deps);
  }
}
