import type { EntryId } from './api.ts';
import { kindIn } from './facts.ts';
import type { Scan } from './index-pass.ts';
import { scoreOfRelevance } from './relevance.ts';
import type { Criteria, Hit } from './search-api.ts';
import { spansOf } from './spans.ts';

/** An entry that a scan has found, for people. Where it matches is worked out for what is shown only. */
export function hitOf({ reading, matcher }: Scan, { field, folding }: Criteria, entry: EntryId): Hit {
  const segment = reading.segmentOf(entry);
  const slot = reading.placeOf(entry);
  const path = reading.pathOf(entry);
  return {
    path,
    kind: kindIn(segment.facts[slot] ?? 0),
    coincidencias: spansOf(path, matcher, field, folding),
    puntaje: matcher.scores ? scoreOfRelevance(matcher.test(segment, slot, Infinity)) : undefined,
  };
}
