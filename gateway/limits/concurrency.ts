import type { ServerResponse } from 'node:http';
import { ProblemError } from '../http/problem.ts';
import type { Middleware } from '../http/state.ts';

/** The count of requests in flight. */
export interface Concurrency {
  readonly middleware: Middleware;
  full(): boolean;
  /** Counts an answer until it is sent or its connection closes. */
  enter(res: ServerResponse): void;
  /** Counts an answer that may still reach the middleware, which then neither counts nor refuses it. */
  enterEarly(res: ServerResponse): void;
}

/**
 * Refuses requests while `max` others are in flight: queueing them would slow down all. Liveness probes are always
 * answered.
 */
export function createConcurrency(max: number): Concurrency {
  let inFlight = 0;
  const leave = (): void => {
    inFlight--;
  };
  const full = (): boolean => inFlight >= max;
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
