import { ProblemError } from './problem.ts';
import type { Context, Middleware } from './state.ts';

/**
 * Evaluates `If-Match` against the ETag of the selected representation (RFC 9110, section 13.1.1). The comparison is strong.
 * An answer without ETag matches only `*`. To be called before anything is done, and not when the answer is an error.
 * @throws ProblemError `precondicion-no-cumplida`
 */
export function assertMatches(ctx: Context, etag?: string): void {
  const { 'if-match': ifMatch } = ctx.req.headers;
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  const tags: readonly string[] = ifMatch.match(/(?:W\/)?"[^"]*"/g) ?? [];
  if (etag === undefined || !tags.includes(etag)) throw new ProblemError('precondicion-no-cumplida');
}

/** Evaluates `If-Match` for routes that only read. Routes that do more call `assertMatches` themselves. */
export function preconditions(): Middleware {
  return async (ctx, next) => {
    await next();
    const reads = ctx.method === 'GET' || ctx.method === 'HEAD';
    if (reads && ctx.respond !== false && ctx.status < 300) {
      assertMatches(ctx, ctx.response.get('etag') || undefined);
    }
  };
}
