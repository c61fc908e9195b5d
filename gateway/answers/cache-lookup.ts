import { type CacheDirectives, parseCacheControl } from '../http/cache-control.ts';
import { parsePrefer } from '../http/prefer.ts';
import type { Context, Middleware } from '../http/state.ts';
import type { AnswerCache, Kept } from './answer-cache.ts';
import type { Repeats } from './fast-path.ts';
import { sendAnswer } from './sender.ts';

/** What most clients write that are no browsers, and what no `Accept` means (RFC 9110, section 12.5.1). */
const anything = '*/*';

/** What an answer depends on, of the request: an error's language is no part of what is kept. */
export function cacheKey(ctx: Context): string {
  const { accept = anything } = ctx.req.headers;
  return accept === anything ? ctx.state.target : `${ctx.state.target} ${accept}`;
}

/** What a request says of answers that are kept. */
export function cacheDirectives(ctx: Context): CacheDirectives {
  return parseCacheControl(ctx.req.headers['cache-control'], ctx.req.headers.pragma);
}

/**
 * Answers what is kept, and right, before anybody looks at what is asked for. Comes after what says who may ask. All else
 * goes on: what was never kept, and who does not want it or asks for more than the answer.
 */
export function fromCache(cache: AnswerCache, repeats: Pick<Repeats, 'remember'>): Middleware {
  return (ctx, next) => {
    if ((ctx.method !== 'GET' && ctx.method !== 'HEAD') || !mayBeKept(ctx)) return next();
    const key = cacheKey(ctx);
    const kept = cache.fresh(key);
    if (kept === undefined || !suits(ctx, cache.ageMs(kept))) return next();
    return send(ctx, key, kept, cache, repeats);
  };
}

async function send(
  ctx: Context,
  key: string,
  kept: Kept,
  cache: AnswerCache,
  repeats: Pick<Repeats, 'remember'>,
): Promise<void> {
  const { bytes } = kept.forms;
  // Where the router would have written it, for the log and the metrics.
  ctx['_matchedRoute'] = kept.route;
  await sendAnswer(ctx, kept.forms, 'cache');
  // It has taken another form, which takes room too.
  if (kept.forms.bytes !== bytes) cache.keep(key, { ...kept });
  repeats.remember(ctx, key, kept.forms);
}

/** A key's solicitud comes before any answer, and so does the queue when it is wanted. */
function mayBeKept({ req: { headers } }: Context): boolean {
  if (headers['idempotency-key'] !== undefined) return false;
  return headers['prefer'] === undefined || !parsePrefer(String(headers['prefer'])).respondAsync;
}

function suits(ctx: Context, ageMs: number): boolean {
  const { noCache, noStore, maxAge } = cacheDirectives(ctx);
  return !noCache && !noStore && (maxAge === undefined || ageMs <= maxAge * 1000);
}
