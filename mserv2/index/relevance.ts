/*
 * Ranks a match as one number, the less the better: first by the class of the match, then by the length of the compared
 * text, the shorter first.
 */

/** No match at all. */
export const noMatch = -1;

export const matchClass = {
  /** The text equals the term. */
  exact: 0,
  /** The text begins with the term. */
  prefix: 1,
  /** A word of the text begins with the term. */
  word: 2,
  /** The term is elsewhere in the text. */
  inside: 3,
  /** The term is in the folder's path, not in the name. */
  folder: 4,
  /** The text matches a glob and does not contain it literally. */
  glob: 5,
} as const;

const lengths = 1 << 14;

/** @param length bytes of the folded text; all above 16,383 count the same */
export function relevance(classOfMatch: number, length: number): number {
  return classOfMatch * lengths + Math.min(length, lengths - 1);
}

const maxScore = 1e9;

/** Returns the relevance of a score from 0 to 1e9. */
export function relevanceOfScore(score: number, length: number): number {
  return relevance(maxScore - score, length);
}

export function scoreOfRelevance(relevanceOf: number): number {
  return maxScore - Math.floor(relevanceOf / lengths);
}
