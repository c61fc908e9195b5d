import type { Matcher } from './matcher.ts';

/** Matcher of an empty query: matches every entry, none better than another. */
export const everything: Matcher = {
  needle: undefined,
  scores: false,
  test: () => 0,
  rangeFinders: [],
};
