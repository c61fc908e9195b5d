import type { Logger } from 'pino';
import type { Middleware } from './state.ts';

/** The client went away before its answer was whole. nginx's number: HTTP has none. */
const clientGone = 499;
/** The line of a WebSocket is written when it is closed; what came after the upgrade is not HTTP. */
const switchingProtocols = 101;

/** One line per request, when its answer is out or its connection is gone. Comes right after request-id. */
export function accessLog(log: Logger): Middleware {
  return (ctx, next) => {
    const start = performance.now();
    ctx.res.once('close', () => {
      const { status: said } = ctx;
      const status = ctx.res.writableFinished || said === switchingProtocols ? said : clientGone;
      const bytes = ctx.method === 'HEAD' ? 0 : Number(ctx.res.getHeader('content-length') ?? 0);
      const { requestId, target, servidoPor, caller } = ctx.state;
      const ms = Math.round((performance.now() - start) * 100) / 100;
      const line = { method: ctx.method, target, status, bytes, ms, requestId, servidoPor, caller };
      log[status >= 500 ? 'warn' : 'info'](line, 'request');
    });
    return next();
  };
}
