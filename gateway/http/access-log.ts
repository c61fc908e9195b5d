import type { Logger } from 'pino';
import { isTracing } from '../../runtime/tracing/tracing.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { withoutSecrets } from './redaction.ts';
import { anonymous, type Context } from './state.ts';
import type { Step } from './steps.ts';

/** The status of an answer that the client's disconnect cut short, as nginx logs it. HTTP has none. */
const clientClosedRequest = 499;
/** The line of a WebSocket is written when the socket closes. */
const switchingProtocols = 101;

/**
 * Counts each request and logs one line for it, when its answer is sent or its connection closes. Must follow
 * request-id.
 */
export function accessLog(log: Logger, metrics: Pick<Metrics, 'requestBegins' | 'requestEnds'>): Step {
  return (ctx) => {
    const startedAt = performance.now();
    const { socket } = ctx.req;
    const sentBefore = socket.bytesWritten;
    metrics.requestBegins();
    ctx.res.on('close', () => {
      const { method } = ctx;
      const { requestId, target, servidoPor, caller, address } = ctx.state;
      const whole = ctx.res.writableFinished || ctx.status === switchingProtocols;
      const status = whole ? ctx.status : clientClosedRequest;
      const route = routeOf(ctx);
      const took = performance.now() - startedAt;
      metrics.requestEnds({ method, route, status, served: servidoPor ?? '', seconds: took / 1000 });
      if (isTracing()) endSpan(ctx, route, status);
      const level = status >= 500 ? 'warn' : 'info';
      if (!log.isLevelEnabled(level)) return;
      const bytes = bodyBytes(ctx) ?? socket.bytesWritten - sentBefore;
      const ms = Math.round(took * 100) / 100;
      const line = { method, target: withoutSecrets(target), route, status, bytes, ms, requestId };
      log[level]({ ...line, servidoPor, caller, address }, 'request');
    });
  };
}

/**
 * Returns the fields of an access log line for people: the text `GET /salud 200 1.2 ms`, the request id, and a caller
 * that has signed in. Other lines are unchanged.
 */
export function readableRequest(
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const {
    level,
    time,
    name,
    msg,
    method,
    target,
    status,
    ms,
    servidoPor,
    requestId,
    caller = anonymous,
  } = fields;
  if (msg !== 'request') return fields;
  const text = [method, target, status, ms, 'ms', servidoPor].filter((part) => part !== undefined).join(' ');
  return { level, time, name, msg: text, requestId, ...(caller !== anonymous && { caller }) };
}

function endSpan(
  { method, state: { span, requestId, servidoPor } }: Context,
  route: string,
  status: number,
): void {
  span.end({
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
}

/** Returns the matched route's pattern, so that a million ids count as one route. */
function routeOf(ctx: Context): string {
  const { _matchedRoute: route } = ctx as { readonly _matchedRoute?: unknown };
  return typeof route === 'string' ? route : 'none';
}

/** Returns the length of the body; undefined when it is unknown, as after an upgrade. */
function bodyBytes(ctx: Context): number | undefined {
  if (ctx.method === 'HEAD' || ctx.status === 204 || ctx.status === 304) return 0;
  const length = ctx.state.sentBytes ?? ctx.res.getHeader('content-length');
  return length === undefined ? undefined : Number(length);
}
