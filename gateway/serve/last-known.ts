import type { AnswerCache } from '../answers/answer-cache.ts';
import { cacheDirectives, cacheKey } from '../answers/cache-lookup.ts';
import { sendAnswer } from '../answers/sender.ts';
import type { Context } from '../http/state.ts';
import type { Accepted } from '../solicitudes/acceptance.ts';

/**
 * Sends the last known answer with its age, if there is one that the request allows (RFC 5861, `stale-if-error`).
 * @param accepted adds links to the solicitud of the current answer (RFC 5829)
 * @returns whether it sent one
 */
export async function sendLastKnown(ctx: Context, cache: AnswerCache, accepted?: Accepted): Promise<boolean> {
  const { staleIfError } = cacheDirectives(ctx);
  if (staleIfError === undefined) return false;
  const kept = cache.lastKnown(cacheKey(ctx));
  if (kept === undefined || cache.ageMs(kept) > staleIfError * 1000) return false;
  ctx.set('Age', String(Math.floor(cache.ageMs(kept) / 1000)));
  if (accepted !== undefined) {
    const solicitud = `${ctx.state.prefix}/solicitudes/${accepted.id}`;
    ctx.append('Link', [`<${solicitud}/respuesta>; rel="latest-version"`, `<${solicitud}>; rel="monitor"`]);
  }
  await sendAnswer(ctx, kept.representations, 'cache');
  return true;
}
