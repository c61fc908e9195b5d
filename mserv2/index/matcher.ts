import type { Folding } from '../../filesystem/folding.ts';
import type { TextRange } from './search-api.ts';
import type { Segment } from './segment.ts';

/** Finds the matching ranges of texts that are compared in one folding. */
export interface RangeFinder {
  /** Differences that are folded away in the compared texts. */
  readonly folding: Folding;
  /**
   * Returns the matching ranges of a text, in no order; they may touch, and be empty.
   * @param text the folded text that is compared
   * @param isCapital whether a unit was a capital before folding
   */
  rangesIn(text: string, isCapital: (at: number) => boolean): TextRange[];
}

/** A query's `nombre`, prepared for matching. */
export interface Matcher {
  /**
   * Bytes that the folded name of every match contains, with `/` for its begin and end: `test` gets only such
   * entries. Undefined: all entries.
   */
  readonly needle: Buffer | undefined;
  /** Whether the relevance comes from a score that can be shown. */
  readonly scores: boolean;
  /**
   * Returns an entry's `relevance`, or `noMatch`.
   * @param enough a relevance above it need not be exact
   */
  test(segment: Segment, slot: number, enough: number): number;
  /** The finders of an entry's matching ranges; all of them count. */
  readonly rangeFinders: readonly RangeFinder[];
}
