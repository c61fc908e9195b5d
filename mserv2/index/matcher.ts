import type { TextRange } from './search-api.ts';
import type { Segment } from './segment.ts';

/** A query's `nombre`, made ready to be looked for. */
export interface Matcher {
  /**
   * Bytes that the folded name of every entry that matches has in it, with `/` for its beginning and its end: only such entries
   * are shown to `test`. Undefined: all are.
   */
  readonly needle: Buffer | undefined;
  /** Whether relevance is made of a score that can be shown. */
  readonly scores: boolean;
  /**
   * The `relevance` of an entry, or `noMatch`.
   * @param enough when the relevance is more than that, any number that is more will do: nobody wants to know how bad it is
   */
  test(segment: Segment, slot: number, enough: number): number;
  /**
   * Where a text that matches does so, in no order; they may touch each other, and be empty.
   * @param text what is compared, folded
   * @param isCapital whether a unit of it was a capital before
   */
  rangesIn(text: string, isCapital: (at: number) => boolean): TextRange[];
}
