import type { Context, Middleware } from './state.ts';

/** A synchronous middleware step: reads the request, sets headers, or refuses it by throwing a ProblemError. */
export type Step = (ctx: Context) => void;

/** Combines steps into one middleware. Between two middlewares Koa would allocate a function and a promise. */
export function inOrder(...steps: readonly Step[]): Middleware {
  return (ctx, next) => {
    for (const step of steps) step(ctx);
    return next();
  };
}
