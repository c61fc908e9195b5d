import type { ByteString } from '../../filesystem/byte-string.ts';
import { FileError } from '../../filesystem/file-error.ts';
import type { EntryId } from './api.ts';
import { Candidates } from './candidates.ts';
import { Filters } from './filters.ts';
import type { Matcher } from './matcher.ts';
import { createMatcher } from './matchers.ts';
import type { MemoryIndex } from './memory-index.ts';
import { ReadView } from './read-view.ts';
import { noMatch } from './relevance.ts';
import { FolderScope } from './scope.ts';
import type { Criteria } from './search-api.ts';
import type { Segment } from './segment.ts';

/** Work of one query at most, in time of its own. */
const maxMs = 20_000;

/** Approximate time of one step. */
const stepMs = 0.5;

/**
 * Candidates of one step at most. Where they are cheap, more would not be faster, and the next ones may be expensive.
 */
const maxLooks = 1 << 12;

export type OnFound = (entry: EntryId, segment: Segment, slot: number, relevance: number) => void;

/** One pass over the index: finds all entries that meet the criteria, in the index's order. */
export class IndexPass implements Disposable {
  readonly view: ReadView;
  readonly matcher: Matcher;
  /** Relevances above this need not be exact. May be changed whenever an entry is found. */
  enough = Infinity;
  readonly #scope: FolderScope | undefined;
  readonly #filters: Filters;
  readonly #candidates: Candidates;
  #segment = 0;
  #slot = 0;
  /** Candidates of a step, adapted to its time. */
  #looks = 64;
  #spentMs = 0;

  /** @throws FileError as `createMatcher` does */
  constructor(index: MemoryIndex, criteria: Criteria) {
    this.view = new ReadView(index);
    try {
      this.matcher = createMatcher(criteria, this.view);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    const start = index.folderAt(criteria.parts.join('/') as ByteString);
    this.#scope = start === undefined ? undefined : new FolderScope(this.view, start, criteria.hidden);
    this.#filters = new Filters(criteria);
    this.#candidates = new Candidates(this.matcher.needle, this.view.segments);
  }

  [Symbol.dispose](): void {
    this.view[Symbol.dispose]();
  }

  /**
   * Takes a step of about half a millisecond; between steps the index may change.
   * @returns whether there is more to do
   * @throws FileError `patron-demasiado-costoso` when all steps together took too long
   */
  step(found: OnFound): boolean {
    const { segments } = this.view;
    const segment = segments[this.#segment];
    if (segment === undefined || this.#scope === undefined) return false;
    const began = performance.now();
    this.#scope.refresh();
    this.#look(segment, this.#scope, found);
    const took = performance.now() - began;
    this.#looks = Math.max(1, Math.min(took < stepMs ? this.#looks * 2 : this.#looks >>> 1, maxLooks));
    this.#spentMs += took;
    if (this.#spentMs <= maxMs) return true;
    throw new FileError('INVALID_ARGUMENT', 'patron-demasiado-costoso', 'The search takes too long');
  }

  #look(segment: Segment, scope: FolderScope, found: OnFound): void {
    const candidates = this.#candidates;
    const filters = this.#filters;
    const matcher = this.matcher;
    const { parents } = segment;
    const base = this.#segment * this.view.index.segmentEntries;
    let slot = candidates.next(segment, this.#slot);
    for (let looks = this.#looks; looks > 0 && slot < segment.count; looks--) {
      if (filters.pass(segment, slot) && scope.has(parents[slot] ?? 0)) {
        const relevance = matcher.test(segment, slot, this.enough);
        if (relevance !== noMatch) found(base + slot, segment, slot, relevance);
      }
      slot = candidates.next(segment, slot + 1);
    }
    this.#slot = slot;
    if (slot < segment.count) return;
    this.#segment++;
    this.#slot = 0;
  }
}
