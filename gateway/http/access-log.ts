import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import { withoutTokens } from './redaction.ts';
import type { Context, Middleware } from './state.ts';

/** The client went away before its answer was whole. nginx's number: HTTP has none. */
const clientGone = 499;
/** The line of a WebSocket is written when it is closed; what came after the upgrade is not HTTP. */
const switchingProtocols = 101;

/**
 * One line per request, and one tally, when its answer is out or its connection is gone. Comes right after request-id.
 * `bytes` are those of the body; where nobody knows how many those are (a WebSocket), of all that was sent.
 */
export function accessLog(log: Logger, metrics: Pick<Metrics, 'requestBegins' | 'requestEnds'>): Middleware {
  return (ctx, next) => {
    const start = performance.now();
    const { socket } = ctx.req;
    const sentBefore = socket.bytesWritten;
    metrics.requestBegins();
    ctx.res.once('close', () => {
      const { status: said } = ctx;
      const status = ctx.res.writableFinished || said === switchingProtocols ? said : clientGone;
      const bytes = bodyBytes(ctx) ?? socket.bytesWritten - sentBefore;
      const { method } = ctx;
      const { requestId, servidoPor, caller, address } = ctx.state;
      const target = withoutTokens(ctx.state.target);
      const route = routeOf(ctx);
      const took = performance.now() - start;
      metrics.requestEnds({ method, route, status, served: servidoPor ?? '', seconds: took / 1000 });
      ctx.state.span.end({
        name: `${method} ${route}`,
        attributes: {
          'http.request.method': method,
          'http.route': route,
          'http.response.status_code': status,
          'archivero.request_id': requestId,
          'archivero.served': servidoPor,
        },
        failed: status >= 500,
      });
      const ms = Math.round(took * 100) / 100;
      const line = { method, target, route, status, bytes, ms, requestId, servidoPor, caller, address };
      log[status >= 500 ? 'warn' : 'info'](line, 'request');
    });
    return next();
  };
}

/** The pattern that the router found for the path, so that a million ids are one route. */
function routeOf(ctx: Context): string {
  const { _matchedRoute: route } = ctx as { readonly _matchedRoute?: unknown };
  return typeof route === 'string' ? route : 'none';
}

function bodyBytes(ctx: Context): number | undefined {
  if (ctx.method === 'HEAD' || ctx.status === 204 || ctx.status === 304) return 0;
  const length = ctx.state.streamedBytes ?? ctx.res.getHeader('content-length');
  return length === undefined ? undefined : Number(length);
}
