import type { Middleware } from './state.ts';

/** What every answer says to browsers: file names come from others, so nothing is to be sniffed as HTML. */
export function securityHeaders(): Middleware {
  return (ctx, next) => {
    ctx.set('X-Content-Type-Options', 'nosniff');
    return next();
  };
}
