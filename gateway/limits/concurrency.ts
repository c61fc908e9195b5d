import { ProblemError } from '../http/problem.ts';
import type { Middleware } from '../http/state.ts';

/**
 * Refuses at once what comes while `most` requests are being answered: to let all wait would serve none. That the process
 * lives is still told.
 */
export function concurrencyCap(most: number): Middleware {
  let inFlight = 0;
  return (ctx, next) => {
    if (inFlight >= most && ctx.path !== '/salud/viva' && ctx.path !== '/healthz') {
      throw new ProblemError('gateway-saturado', { headers: { 'retry-after': '1' } });
    }
    inFlight++;
    ctx.res.once('close', () => {
      inFlight--;
    });
    return next();
  };
}
