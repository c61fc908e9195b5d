import type { AnswerCache } from '../answers/answer-cache.ts';
import { cacheDirectives, cacheKey } from '../answers/cache-lookup.ts';
import { renderRepresentations } from '../answers/renderer.ts';
import { sendAnswer } from '../answers/sender.ts';
import { type CallResult, reasonOf } from '../calls/service-client.ts';
import type { ServiceClients } from '../calls/service-clients.ts';
import type { Context } from '../http/state.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { View } from '../operations/operation.ts';
import { type ResponsesDeps, sendAccepted } from '../solicitudes/responses.ts';
import type { RequestResult } from './fallback.ts';
import { sendLastKnown } from './last-known.ts';
import type { ServedRequest } from './request.ts';
import { refuseUnreachable, setProxyStatus } from './unreachable.ts';

export interface ResponseDeps {
  readonly clients: Pick<ServiceClients, 'client'>;
  readonly cache: AnswerCache;
  readonly responses: ResponsesDeps;
  readonly metrics: Pick<Metrics, 'fallback'>;
}

/**
 * Sends the response of a request: the verdict, a 202, or a problem; instead of the latter two the last known answer, when
 * the service or the ledger failed and the request allows that.
 * @throws ProblemError when the service is unreachable, and the ledger's errors
 */
export async function respond(
  ctx: Context,
  request: ServedRequest,
  view: View,
  result: RequestResult,
  deps: ResponseDeps,
): Promise<void> {
  const { cache, metrics } = deps;
  const { service, prefer, signal } = request;
  switch (result.kind) {
    case 'verdict':
      return sendVerdict(ctx, request, view, result, deps);
    case 'gone':
      ctx.status = 499;
      return;
    case 'refused':
      if (await sendLastKnown(ctx, cache)) return;
      throw result.error;
    case 'unreachable':
      metrics.fallback(service, 'refused', result.proxyError);
      setProxyStatus(ctx, result);
      if (await sendLastKnown(ctx, cache)) return;
      return refuseUnreachable(ctx, result);
    case 'accepted': {
      const { accepted, because } = result;
      metrics.fallback(service, 'queued', because?.proxyError ?? 'preferred');
      if (because !== undefined) {
        setProxyStatus(ctx, because);
        if (await sendLastKnown(ctx, cache, accepted)) return;
      }
      const motivo = because && reasonOf(because.failure);
      return sendAccepted(ctx, accepted, prefer, signal, deps.responses, motivo);
    }
  }
}

async function sendVerdict(
  ctx: Context,
  { service, operation, arrivedAt }: ServedRequest,
  view: View,
  verdict: CallResult & { kind: 'verdict' },
  { clients, cache }: ResponseDeps,
): Promise<void> {
  const representations = renderRepresentations(operation, verdict, view);
  if (verdict.ok && !cacheDirectives(ctx).noStore) {
    const validity = operation.validity?.(verdict.response);
    const session = clients.client(service).session(verdict.address);
    const feed = validity && session && { validity, session };
    cache.keep(cacheKey(ctx), { representations, route: `/${operation.name}`, arrivedAt, feed });
  }
  return sendAnswer(ctx, representations, 'grpc');
}
