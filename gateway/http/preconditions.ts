import { ProblemError } from './problem.ts';
import type { Context, Middleware } from './state.ts';

const failed = (): ProblemError => new ProblemError('precondicion-no-cumplida');
const isAny = (field: string | undefined): boolean => field?.trim() === '*';

/** Returns whether the method only reads. Other methods are never answered with 304 (RFC 9110, section 13.1.2). */
export function onlyReads({ method }: Pick<Context, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD';
}

/**
 * Evaluates `If-Match` against the ETag of the selected representation (RFC 9110, section 13.1.1). The comparison is strong.
 * An answer without ETag matches only `*`. To be called before anything is done, and not when the answer is an error.
 * @throws ProblemError `precondicion-no-cumplida`
 */
export function assertMatches(ctx: Context, etag?: string): void {
  const { 'if-match': ifMatch } = ctx.req.headers;
  if (ifMatch === undefined || isAny(ifMatch)) return;
  const tags: readonly string[] = ifMatch.match(/(?:W\/)?"[^"]*"/g) ?? [];
  if (etag === undefined || !tags.includes(etag)) throw failed();
}

/**
 * Evaluates the preconditions of a change to a resource that exists and has no ETag: no `If-Match` but `*` holds, and
 * `If-None-Match: *` does not. To be called before the change, after all other checks.
 * @throws ProblemError `precondicion-no-cumplida`
 */
export function assertMayChange(ctx: Context): void {
  assertMatches(ctx);
  if (isAny(ctx.req.headers['if-none-match'])) throw failed();
}

/**
 * Evaluates the preconditions of an action: a resource that takes POST only, and has no representation. So no `If-Match`
 * holds, not even `*`, and every `If-None-Match` does. To be called before the action, after all other checks.
 * @throws ProblemError `precondicion-no-cumplida`
 */
export function assertMayAct(ctx: Context): void {
  if (ctx.req.headers['if-match'] !== undefined) throw failed();
}

/** Evaluates the preconditions of routes that only read and send their answer by Koa. Other routes evaluate them themselves. */
export function preconditions(): Middleware {
  return async (ctx, next) => {
    await next();
    if (!onlyReads(ctx) || ctx.respond === false || ctx.status >= 300) return;
    assertMatches(ctx, ctx.response.get('etag') || undefined);
    if (isAny(ctx.req.headers['if-none-match'])) ctx.status = 304;
  };
}
