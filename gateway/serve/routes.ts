import Router from '@koa/router';
import type { AnswerCache } from '../answers/answer-cache.ts';
import { cacheDirectives, cacheKey } from '../answers/cache-lookup.ts';
import { formatoOf } from '../answers/negotiation.ts';
import { renderRepresentations } from '../answers/renderer.ts';
import { sendAnswer } from '../answers/sender.ts';
import { reasonOf } from '../calls/service-client.ts';
import type { ServiceClients } from '../calls/service-clients.ts';
import { disconnectSignal } from '../http/disconnect-signal.ts';
import { parseIdempotencyKey } from '../http/idempotency-key.ts';
import { parsePrefer } from '../http/prefer.ts';
import { readQuery } from '../http/query.ts';
import type { Context, State } from '../http/state.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Operation, View } from '../operations/operation.ts';
import type { Service } from '../operations/service.ts';
import type { Acceptor } from '../solicitudes/acceptance.ts';
import { LedgerFullError, LedgerUnavailableError } from '../solicitudes/ledger.ts';
import { type ResponsesDeps, sendAccepted } from '../solicitudes/responses.ts';
import { type Ask, answerOrAccept, type Ending } from './fallback.ts';
import { lastKnown, sendLastKnown } from './last-known.ts';
import { serveStream } from './streaming.ts';
import { refuseUnreachable, tellNextHop } from './unreachable.ts';

export interface OperationsDeps {
  readonly services: readonly Service[];
  readonly clients: Pick<ServiceClients, 'client' | 'call'>;
  readonly responses: ResponsesDeps;
  readonly cache: AnswerCache;
  readonly acceptor: Acceptor;
  /** A stream's client that receives nothing for this long is disconnected, in milliseconds. */
  readonly streamStallMs: number;
  readonly metrics: Pick<Metrics, 'fallback'>;
}

/** Creates one route per operation of the registry. */
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
  const askedAt = performance.now();
  const { cache } = deps;
  const query = readQuery(ctx.state.target);
  const parsed = operation.parse(query);
  const { request } = parsed;
  const formato = formatoOf(operation, parsed.formato, ctx.get('Accept'));
  const prefer = parsePrefer(ctx.get('Prefer'));
  const serviceClient = deps.clients.client(service);
  if (formato === 'ndjson') {
    if (operation.stream === undefined) throw new TypeError(`${operation.name} has no stream`);
    const { streamStallMs: stallMs, metrics } = deps;
    return serveStream(
      ctx,
      operation,
      operation.stream,
      { request, query, prefer },
      { serviceClient, stallMs, metrics },
    );
  }
  const { target, idioma, requestId, traceparent } = ctx.state;
  const view: View = { target, idioma, formato };
  const signal = disconnectSignal(ctx);
  const deferrable = ctx.method === 'GET';
  const key = deferrable ? parseIdempotencyKey(ctx.get('Idempotency-Key')) : undefined;
  const ask = { service, operation, request, view, requestId, traceparent, signal, key, deferrable };
  const whole: Ask = { ...ask, caller: ctx.state.caller, respondAsync: prefer.respondAsync };
  let ending: Ending;
  try {
    ending = await answerOrAccept(whole, deps.clients.call(service), deps.acceptor);
  } catch (error) {
    const known = isLedgerError(error) ? lastKnown(ctx, cache) : undefined;
    if (known === undefined) throw error;
    return sendLastKnown(ctx, known, cache);
  }
  switch (ending.kind) {
    case 'answered': {
      const { verdict, address } = ending;
      const representations = renderRepresentations(operation, verdict, view);
      if (verdict.ok && !cacheDirectives(ctx).noStore) {
        const validity = operation.validity?.(verdict.response);
        const session = serviceClient.session(address);
        const feed = validity && session && { validity, session };
        cache.keep(cacheKey(ctx), { representations, route: `/${operation.name}`, askedAt, feed });
      }
      return sendAnswer(ctx, representations, 'grpc');
    }
    case 'gone':
      ctx.status = 499;
      return;
    case 'unavailable': {
      deps.metrics.fallback(service, 'refused', ending.because.proxyError);
      const known = lastKnown(ctx, cache);
      if (known === undefined) return refuseUnreachable(ctx, ending.because);
      tellNextHop(ctx, ending.because);
      return sendLastKnown(ctx, known, cache);
    }
    case 'accepted': {
      const { because, accepted } = ending;
      deps.metrics.fallback(service, 'queued', because?.proxyError ?? 'preferred');
      if (because === undefined) return sendAccepted(ctx, accepted, prefer, signal, deps.responses);
      tellNextHop(ctx, because);
      const known = lastKnown(ctx, cache);
      const motivo = reasonOf(because.failure);
      if (known === undefined) return sendAccepted(ctx, accepted, prefer, signal, deps.responses, motivo);
      return sendLastKnown(ctx, known, cache, accepted);
    }
  }
}

function isLedgerError(error: unknown): boolean {
  return error instanceof LedgerFullError || error instanceof LedgerUnavailableError;
}
