import type { StoredAnswer } from '../solicitudes/ledger.ts';
import type { Context, ServidoPor } from './state.ts';

/**
 * Sends the answer of an operation, with how it was made. A client that has the same bytes already
 * gets a 304 (RFC 9110, section 13.1.2). It may be kept, but must be asked for again before each use.
 */
export function sendAnswer(ctx: Context, answer: StoredAnswer, servidoPor: ServidoPor): void {
  ctx.state.servidoPor = servidoPor;
  ctx.status = answer.status;
  ctx.set({ 'cache-control': 'no-cache', ...answer.headers, 'servido-por': servidoPor });
  ctx.vary(['Accept', 'Accept-Language']);
  if (answer.status === 200 && isKnown(ctx.get('if-none-match'), answer.headers['etag'])) ctx.status = 304;
  else ctx.body = answer.body;
}

/** Compares as the RFC asks for `If-None-Match`: weakly, and whatever `Cache-Control` the request has. */
function isKnown(ifNoneMatch: string, etag: string | undefined): boolean {
  if (etag === undefined) return false;
  return ifNoneMatch.trim() === '*' || (ifNoneMatch.match(/"[^"]*"/g)?.includes(etag) ?? false);
}
