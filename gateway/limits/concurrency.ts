import type { ServerResponse } from 'node:http';
import { ProblemError } from '../http/problem.ts';
import type { Middleware } from '../http/state.ts';

/** How many requests are being answered. */
export interface Concurrency {
  readonly middleware: Middleware;
  full(): boolean;
  /** Counts an answer until it is out or its connection is gone. */
  enter(res: ServerResponse): void;
  /** The same for one that may still come to the middleware, which then lets it through. */
  enterEarly(res: ServerResponse): void;
}

/**
 * Refuses at once what comes while `most` requests are being answered: to let all wait would serve none. That the process
 * lives is still told.
 */
export function createConcurrency(most: number): Concurrency {
  let inFlight = 0;
  const leave = (): void => {
    inFlight--;
  };
  const full = (): boolean => inFlight >= most;
  const enter = (res: ServerResponse): void => {
    inFlight++;
    res.once('close', leave);
  };
  const early = new WeakSet<ServerResponse>();
  return {
    full,
    enter,
    enterEarly: (res) => {
      early.add(res);
      enter(res);
    },
    middleware: (ctx, next) => {
      if (early.has(ctx.res)) return next();
      if (full() && ctx.path !== '/salud/viva' && ctx.path !== '/healthz') {
        throw new ProblemError('gateway-saturado', { headers: { 'retry-after': '1' } });
      }
      enter(ctx.res);
      return next();
    },
  };
}
