import Router from '@koa/router';
import type { ServiceClients } from '../calls/service-clients.ts';
import type { Context, State } from '../http/state.ts';
import type { Operation } from '../operations/operation.ts';
import type { Service } from '../operations/service.ts';
import type { Acceptor } from '../solicitudes/acceptance.ts';
import { callOrAccept } from './fallback.ts';
import { parseRequest } from './request.ts';
import { type ResponseDeps, respond } from './response.ts';
import { serveStream } from './streaming.ts';

export interface OperationsDeps extends ResponseDeps {
  readonly services: readonly Service[];
  readonly clients: Pick<ServiceClients, 'client' | 'coalescedCall'>;
  readonly acceptor: Acceptor;
  /** A stream's client that receives nothing for this long is disconnected, in milliseconds. */
  readonly streamStallMs: number;
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

/** Serves a request: parse it, call or accept it, respond. */
async function serve(
  ctx: Context,
  service: string,
  operation: Operation,
  deps: OperationsDeps,
): Promise<void> {
  ctx.vary('Accept');
  const request = parseRequest(ctx, service, operation);
  const { formato } = request;
  if (formato === 'ndjson') {
    return serveStream(ctx, request, {
      serviceClient: deps.clients.client(service),
      stallMs: deps.streamStallMs,
      metrics: deps.metrics,
    });
  }
  const { target, idioma } = ctx.state;
  const view = { target, idioma, formato };
  const result = await callOrAccept(request, view, deps.clients.coalescedCall(service), deps.acceptor);
  await respond(ctx, request, view, result, deps);
}
