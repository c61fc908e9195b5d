import type { Acceptance } from './ledger.ts';

/** What a row takes besides its texts: times, history, indexes. Measured with SQLite: 300 bytes, and what pages leave empty. */
const overhead = 400;

/**
 * Bytes that a new row counts for in `maxBytes`, all of whose texts come from outside. The ledgers' triggers, which keep
 * the totals, count the same; an answer's headers and body are added when it is stored.
 */
export function rowSize(acceptance: Acceptance): number {
  const { request, view, caller, requestId, traceparent, witness, key, retryOf } = acceptance;
  const texts = [request, view.target, caller, requestId, traceparent, witness, key ?? '', retryOf ?? ''];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), overhead);
}
