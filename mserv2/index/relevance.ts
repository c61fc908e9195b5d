/*
 * How well an entry matches, as one number: the less, the better. First by the class of the match, then by the length
 * of what is compared, the shorter first.
 */

/** No match at all. */
export const noMatch = -1;

export const matchClass = {
  /** What is wanted, and nothing else. */
  exact: 0,
  /** It begins with what is wanted. */
  prefix: 1,
  /** A word in it does. */
  word: 2,
  /** It is somewhere inside. */
  inside: 3,
  /** It is in the path of the folder, not in the name. */
  folder: 4,
} as const;

const lengths = 1 << 14;

/** @param length bytes of the folded text; beyond 16,383 all are the same */
export function relevance(classOfMatch: number, length: number): number {
  return classOfMatch * lengths + Math.min(length, lengths - 1);
}

const maxScore = 1e9;

/** The same for a match that has a score, from 0 to 1e9. */
export function relevanceOfScore(score: number, length: number): number {
  return relevance(maxScore - score, length);
}

export function scoreOfRelevance(relevanceOf: number): number {
  return maxScore - Math.floor(relevanceOf / lengths);
}
