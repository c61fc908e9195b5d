import { foldText } from '../../filesystem/folding.ts';
import { coarse } from './latin.ts';
import type { Matcher, RangeFinder } from './matcher.ts';
import type { PatternMatcher } from './pattern.ts';
import { matchClass, noMatch, relevance } from './relevance.ts';
import type { Segment } from './segment.ts';
import type { TermsMatcher } from './terms.ts';
import type { Word } from './words.ts';

/**
 * Finds texts that contain a query's words with their `*`, `?` and `[`, then those that match it as a glob. Such
 * characters are usual in names: `movie [1080p].mkv`.
 */
export class LiteralOrGlobMatcher implements Matcher {
  readonly needle: Buffer | undefined;
  readonly scores = false;
  readonly rangeFinders: readonly RangeFinder[];
  readonly #literal: TermsMatcher;
  readonly #glob: PatternMatcher;

  /** @param words the words of `literal` */
  constructor(words: readonly Word[], literal: TermsMatcher, glob: PatternMatcher) {
    this.#literal = literal;
    this.#glob = glob;
    this.rangeFinders = [literal, glob];
    this.needle = glob.needle && commonNeedle(glob.needle, words);
  }

  test(segment: Segment, slot: number): number {
    // Exact, because the needle does not show that the words are there.
    const found = this.#literal.test(segment, slot, Infinity);
    if (found !== noMatch) return found;
    const length = this.#glob.test(segment, slot);
    return length === noMatch ? noMatch : relevance(matchClass.glob, length);
  }
}

/** Returns the longest piece of a glob's needle that a required word contains too. */
function commonNeedle(needle: Buffer, words: readonly Word[]): Buffer | undefined {
  const required = words.filter(({ excluded }) => !excluded).map(({ text }) => foldText(text, coarse));
  const pieces = needle.toString().split(/[\s/]+/u);
  const common = pieces.filter((piece) => required.some((word) => word.includes(piece)));
  const [longest = ''] = common.toSorted((a, b) => b.length - a.length);
  return longest === '' ? undefined : Buffer.from(longest);
}
