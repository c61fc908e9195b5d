import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics.ts';
import { withoutSecrets } from './redaction.ts';
import type { Context, Middleware, ServidoPor } from './state.ts';

/** The client went away before its answer was whole. nginx's number: HTTP has none. */
const clientGone = 499;
/** The line of a WebSocket is written when it is closed; what came after the upgrade is not HTTP. */
const switchingProtocols = 101;

/** A request and its answer, as they are written down. */
export interface Exchange {
  readonly method: string;
  /** Without tokens and passwords. */
  readonly target: string;
  readonly route: string;
  readonly status: number;
  /** Of the body; where nobody knows how many those are (a WebSocket), of all that was sent. */
  readonly bytes: number;
  readonly servidoPor: ServidoPor | undefined;
  readonly caller: string;
  readonly address: string;
}

/** One line per request, and one tally, when its answer is out or its connection is gone. */
export interface AccessLog {
  /** Comes right after request-id. */
  readonly middleware: Middleware;
  /** For answers past the middlewares. */
  begins(): void;
  /**
   * @param whole whether all of the answer went out
   * @param startedAt by `performance.now()`
   */
  ends(exchange: Exchange, requestId: string, whole: boolean, startedAt: number): void;
}

export function createAccessLog(
  log: Logger,
  metrics: Pick<Metrics, 'requestBegins' | 'requestEnds'>,
): AccessLog {
  const ends: AccessLog['ends'] = (exchange, requestId, whole, startedAt) => {
    const { method, target, route, bytes, servidoPor, caller, address } = exchange;
    const status = whole ? exchange.status : clientGone;
    const took = performance.now() - startedAt;
    metrics.requestEnds({ method, route, status, served: servidoPor ?? '', seconds: took / 1000 });
    const level = status >= 500 ? 'warn' : 'info';
    if (!log.isLevelEnabled(level)) return;
    const ms = Math.round(took * 100) / 100;
    log[level](
      { method, target, route, status, bytes, ms, requestId, servidoPor, caller, address },
      'request',
    );
  };

  const middleware: Middleware = (ctx, next) => {
    const startedAt = performance.now();
    const { socket } = ctx.req;
    const sentBefore = socket.bytesWritten;
    metrics.requestBegins();
    ctx.res.once('close', () => {
      const whole = ctx.res.writableFinished || ctx.status === switchingProtocols;
      const exchange = exchangeOf(ctx, socket.bytesWritten - sentBefore);
      ends(exchange, ctx.state.requestId, whole, startedAt);
      endSpan(ctx, exchange, whole);
    });
    return next();
  };
  return { middleware, begins: () => metrics.requestBegins(), ends };
}

/** @param sentBytes for what has no length that is known */
export function exchangeOf(ctx: Context, sentBytes = 0): Exchange {
  const { servidoPor, caller, address } = ctx.state;
  return {
    method: ctx.method,
    target: withoutSecrets(ctx.state.target),
    route: routeOf(ctx),
    status: ctx.status,
    bytes: bodyBytes(ctx) ?? sentBytes,
    servidoPor,
    caller,
    address,
  };
}

function endSpan(ctx: Context, { method, route, servidoPor, ...exchange }: Exchange, whole: boolean): void {
  const status = whole ? exchange.status : clientGone;
  ctx.state.span.end({
    name: `${method} ${route}`,
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
      'archivero.request_id': ctx.state.requestId,
      'archivero.served': servidoPor,
    },
    failed: status >= 500,
  });
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
