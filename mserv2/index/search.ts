import type { ByteString } from '../../filesystem/byte-string.ts';
import { type CursorScope, decodeCursor, encodeCursor } from '../../filesystem/cursor.ts';
import type { EntryId } from './api.ts';
import { hitOf } from './hit.ts';
import { IndexPass } from './index-pass.ts';
import type { MemoryIndex } from './memory-index.ts';
import { ResultOrder } from './order.ts';
import type { Criteria, Hit, SearchQuery, SearchResult } from './search-api.ts';
import type { Segment } from './segment.ts';
import { type Ranked, TopEntries } from './top-entries.ts';

/** Cuts the work into slices; `Slices` of filesystem/ is one. */
export interface Pace {
  /** Returns whether `next` must be awaited before more work. */
  over(): boolean;
  /** Yields to other work. Rejects when the result is no longer needed. */
  next(): Promise<void>;
}

/**
 * Returns one page of matches and their total. The index may change meanwhile: added entries may be found or not,
 * removed ones are not on the page.
 * @throws FileError `cursor-no-valido`, `nombre-demasiado-largo`, `patron-no-valido`, `patron-demasiado-costoso`; and
 *   errors of `pace.next`
 */
export async function search(index: MemoryIndex, query: SearchQuery, pace: Pace): Promise<SearchResult> {
  using pass = new IndexPass(index, query);
  const order = new ResultOrder(query.order, query.descending, pass.view);
  const scope = cursorScope(query);
  const after = query.cursor === undefined ? undefined : order.placeAt(decodeCursor(scope, query.cursor));
  const bound = after && order.boundOf(after);

  // One entry more than the page shows whether there is a next one.
  const first = new TopEntries(query.limit + 1, order);
  let total = 0;
  const byRelevance = query.order === 'relevancia';
  if (!byRelevance) pass.enough = -1;
  const found = (entry: EntryId, segment: Segment, slot: number, relevance: number) => {
    total++;
    const key = order.keyOf(segment, slot, relevance);
    if (after !== undefined && bound !== undefined) {
      if (key < after.key || (key === after.key && order.compareTiedTo(entry, after, bound) <= 0)) return;
    }
    first.add(key, entry);
    if (byRelevance && !query.descending) pass.enough = first.bound;
  };
  while (pass.step(found)) if (pace.over()) await pace.next();

  const ranked: Ranked[] = [];
  for (let last = first.takeLast(); last !== undefined; last = first.takeLast()) {
    ranked.push(last);
    if (pace.over()) await pace.next();
  }
  ranked.reverse();
  const hits: Hit[] = [];
  for (const { entry } of ranked.slice(0, query.limit)) {
    if (pass.view.isThere(entry)) hits.push(hitOf(pass, query, entry));
    else total--;
    if (pace.over()) await pace.next();
  }
  const last = ranked.length > query.limit ? ranked[query.limit - 1] : undefined;
  return {
    hits,
    total,
    siguiente: last && encodeCursor(scope, order.positionOf(order.placeOf(last.entry, last.key))),
  };
}

/**
 * Yields all matches in the index's order, mostly folder by folder, in batches of up to `size`. Waits between batches
 * for as long as the caller does.
 * @throws as `search` does
 */
export async function* searchAll(
  index: MemoryIndex,
  criteria: Criteria,
  pace: Pace,
  size: number,
): AsyncGenerator<Hit[]> {
  using pass = new IndexPass(index, criteria);
  pass.enough = -1;
  const entries: EntryId[] = [];
  for (let more = true; more; ) {
    more = pass.step((entry) => entries.push(entry));
    while (entries.length >= size || (!more && entries.length > 0)) {
      const batch = entries.splice(0, size).filter((entry) => pass.view.isThere(entry));
      yield batch.map((entry) => hitOf(pass, criteria, entry));
    }
    if (pace.over()) await pace.next();
  }
}

/**
 * Returns the paths of all matches, in the index's order; undefined when they are more than `most`.
 * @throws as `search` does
 */
export async function matchingPaths(
  index: MemoryIndex,
  criteria: Criteria,
  pace: Pace,
  most: number,
): Promise<ByteString[] | undefined> {
  using pass = new IndexPass(index, criteria);
  pass.enough = -1;
  const entries: EntryId[] = [];
  while (pass.step((entry) => entries.push(entry))) {
    if (entries.length > most) return undefined;
    if (pace.over()) await pace.next();
  }
  return entries.map((entry) => pass.view.pathOf(entry));
}

/** Returns the scope of a cursor: the query without its page. */
function cursorScope(query: SearchQuery): CursorScope {
  const { parts, nombre, mode, field, folding, kinds, extensions, minBytes, maxBytes } = query;
  const { since, until, hidden, order, descending } = query;
  const wanted = [parts, nombre, mode, field, folding.case, folding.accents, [...kinds], extensions];
  const limits = [minBytes ?? null, maxBytes ?? null, since ?? null, until ?? null, hidden];
  return { operation: 'BuscarArchivos', query: [wanted, limits, order, descending] };
}
