import type { Context, Middleware } from './state.ts';

/** Reads a request, sets headers of its answer, or refuses it by throwing a ProblemError. It does not wait. */
export type Step = (ctx: Context) => void;

/** One middleware that runs the steps in order: between two steps Koa would allocate a function and a promise. */
export function inOrder(...steps: readonly Step[]): Middleware {
  return (ctx, next) => {
    for (const step of steps) step(ctx);
    return next();
  };
}
