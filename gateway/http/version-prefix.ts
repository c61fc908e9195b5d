import type { Middleware } from './state.ts';
import { pathOf, readTarget } from './target.ts';

const prefix = '/v1';

/**
 * Serves every path bare and under `/v1`: what comes after knows bare paths only. What the client wrote stays in
 * `ctx.state.target`, and its prefix in `ctx.state.prefix`, so that links keep it. Never throws.
 */
export function versionPrefix(): Middleware {
  return (ctx, next) => {
    const { target, authority } = readTarget(ctx.req.url ?? '/');
    const path = pathOf(target);
    const prefixed = path === prefix || path.startsWith(`${prefix}/`);
    const bare = prefixed ? target.slice(prefix.length) : target;
    ctx.state.target = target;
    ctx.state.authority = authority;
    ctx.state.prefix = prefixed ? prefix : '';
    ctx.url = bare.startsWith('/') || bare === '*' ? bare : `/${bare}`;
    return next();
  };
}
