import { type CacheDirectives, parseCacheControl } from '../http/cache-control.ts';
import { parsePrefer } from '../http/prefer.ts';
import type { Context, Middleware } from '../http/state.ts';
import type { AnswerCache, CachedAnswer } from './answer-cache.ts';
import { sendAnswer } from './sender.ts';

/** The `Accept` of most clients other than browsers, and the meaning of its absence (RFC 9110, section 12.5.1). */
const anyType = '*/*';

/** Returns the cache key: target and `Accept`. Errors are not cached, so the language is not part of it. */
export function cacheKey(ctx: Context): string {
  const { accept = anyType } = ctx.req.headers;
  return accept === anyType ? ctx.state.target : `${ctx.state.target} ${accept}`;
}

/** Parses the request's cache directives. */
export function cacheDirectives(ctx: Context): CacheDirectives {
  return parseCacheControl(ctx.req.headers['cache-control'], ctx.req.headers.pragma);
}

/**
 * Creates the middleware that answers from the cache. It runs after authorization. It passes a request on when no valid
 * answer is cached, or when the request excludes a cached answer.
 */
export function fromCache(cache: AnswerCache): Middleware {
  return (ctx, next) => {
    if ((ctx.method !== 'GET' && ctx.method !== 'HEAD') || !isCacheable(ctx)) return next();
    const key = cacheKey(ctx);
    const kept = cache.fresh(key);
    if (kept === undefined || !isAcceptable(ctx, cache.ageMs(kept))) return next();
    return send(ctx, key, kept, cache);
  };
}

function send(ctx: Context, key: string, kept: CachedAnswer, cache: AnswerCache): void | Promise<void> {
  const { bytes } = kept.representations;
  // Set as the router would, for the log and the metrics.
  ctx['_matchedRoute'] = kept.route;
  const sent = sendAnswer(ctx, kept.representations, 'cache');
  // A content coding was added to the entry: keep it again to count its bytes.
  return sent?.then(() => {
    if (kept.representations.bytes !== bytes) cache.keep(key, { ...kept });
  });
}

/** An `Idempotency-Key` must reach its solicitud, and `respond-async` the queue, before any cached answer. */
function isCacheable({ req: { headers } }: Context): boolean {
  if (headers['idempotency-key'] !== undefined) return false;
  return headers['prefer'] === undefined || !parsePrefer(String(headers['prefer'])).respondAsync;
}

function isAcceptable(ctx: Context, ageMs: number): boolean {
  const { noCache, noStore, maxAge } = cacheDirectives(ctx);
  return !noCache && !noStore && (maxAge === undefined || ageMs <= maxAge * 1000);
}
