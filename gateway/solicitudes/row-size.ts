import type { Acceptance } from './ledger.ts';

/** Bytes of a row besides its texts: times, history, indexes. Measured with SQLite: 300, plus unused page space. */
const overhead = 400;

/**
 * Returns the bytes that a new row counts towards `maxBytes`. The ledgers' triggers, which keep the totals, count alike.
 * An answer's headers and body are added when it is stored.
 */
export function rowSize(acceptance: Acceptance): number {
  const { request, view, caller, requestId, traceparent, replyToken, key, retryOf } = acceptance;
  const texts = [request, view.target, caller, requestId, traceparent, replyToken, key ?? '', retryOf ?? ''];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), overhead);
}
