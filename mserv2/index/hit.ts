import type { EntryId } from './api.ts';
import { kindIn } from './facts.ts';
import type { IndexPass } from './index-pass.ts';
import { matchRangesOf } from './match-ranges.ts';
import { scoreOfRelevance } from './relevance.ts';
import type { Criteria, Hit } from './search-api.ts';

/** Describes an entry that a pass has found. Match ranges are computed for shown entries only. */
export function hitOf({ view, matcher }: IndexPass, { field }: Criteria, entry: EntryId): Hit {
  const segment = view.segmentOf(entry);
  const slot = view.placeOf(entry);
  const path = view.pathOf(entry);
  return {
    path,
    kind: kindIn(segment.facts[slot] ?? 0),
    coincidencias: matchRangesOf(path, matcher.rangeFinders, field),
    puntaje: matcher.scores ? scoreOfRelevance(matcher.test(segment, slot, Infinity)) : undefined,
  };
}
