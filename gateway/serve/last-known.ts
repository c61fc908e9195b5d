import type { AnswerCache, CachedAnswer } from '../answers/answer-cache.ts';
import { cacheDirectives, cacheKey } from '../answers/cache-lookup.ts';
import { sendAnswer } from '../answers/sender.ts';
import type { Context } from '../http/state.ts';
import type { Accepted } from '../solicitudes/acceptance.ts';

/** Returns the last known answer if the request allows it (RFC 5861, `stale-if-error`). */
export function lastKnown(ctx: Context, cache: AnswerCache): CachedAnswer | undefined {
  const { staleIfError } = cacheDirectives(ctx);
  if (staleIfError === undefined) return undefined;
  const kept = cache.lastKnown(cacheKey(ctx));
  return kept !== undefined && cache.ageMs(kept) <= staleIfError * 1000 ? kept : undefined;
}

/** Sends it with its age. `accepted` adds links to the solicitud of the current answer (RFC 5829). */
export async function sendLastKnown(
  ctx: Context,
  kept: CachedAnswer,
  cache: AnswerCache,
  accepted?: Accepted,
): Promise<void> {
  ctx.set('Age', String(Math.floor(cache.ageMs(kept) / 1000)));
  if (accepted !== undefined) {
    const solicitud = `${ctx.state.prefix}/solicitudes/${accepted.id}`;
    ctx.append('Link', [`<${solicitud}/respuesta>; rel="latest-version"`, `<${solicitud}>; rel="monitor"`]);
  }
  await sendAnswer(ctx, kept.representations, 'cache');
}
