import type { Middleware } from './state.ts';

/** Everybody is `anonimo` until there is a login. */
export function identity(): Middleware {
  return (ctx, next) => {
    ctx.state.caller = 'anonimo';
    return next();
  };
}
