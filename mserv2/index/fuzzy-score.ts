import { bonus, type ScoredText } from './scored-text.ts';

/*
 * Scores how well a term's characters are found in a text, in their order, with others in between, as fzf does
 * (FuzzyMatchV2 in its src/algo/algo.go). It is a variant of Smith-Waterman: gaps cost, and a match counts more at the
 * begin of a word and right after another match.
 */

const perMatch = 16;
const gapStart = -3;
const gapExtension = -1;
const inRow = 4;
const firstCounts = 2;

/** Cells of the two tables. A larger pair of term and text matches without a full score. */
const maxCells = 1 << 16;

/** Best score that ends at a term character and a text character, and the length of its run of matches. */
const scores = new Int32Array(maxCells);
const runs = new Int32Array(maxCells);
/** Earliest position of each character of the term. */
const earliest = new Int32Array(2048);

/** Returns the score of a term in a text; 0 for no match. */
export function fuzzyScore(term: Int32Array, text: ScoredText): number {
  const end = findEarliest(term, text);
  if (end < 0) return 0;
  if (term.length * text.length > maxCells) return perMatch * term.length;
  return fill(term, text).score;
}

/** Returns the score of a text of so many characters that equals its term: no other text of the term has more. */
export function bestScore(length: number): number {
  return perMatch * length + bonus.atBlank * (length - 1 + firstCounts);
}

/** Returns the positions of a matching term's characters at its best score. */
export function fuzzyPlaces(term: Int32Array, text: ScoredText): number[] {
  if (findEarliest(term, text) < 0) return [];
  if (term.length * text.length > maxCells) return Array.from(earliest.subarray(0, term.length));
  const width = text.length;
  let at = fill(term, text).at;
  const places: number[] = [];
  let preferMatch = true;
  for (let row = term.length - 1; row >= 0; at--) {
    const cell = row * width + at;
    const score = scores[cell] ?? 0;
    const first = earliest[row] ?? 0;
    const diagonal = row > 0 && at >= first ? (scores[cell - width - 1] ?? 0) : 0;
    const left = at > first ? (scores[cell - 1] ?? 0) : 0;
    const isMatch = score > diagonal && (score > left || (score === left && preferMatch));
    preferMatch = (runs[cell] ?? 0) > 1 || (row + 1 < term.length && (runs[cell + width + 1] ?? 0) > 0);
    if (!isMatch) continue;
    places.push(at);
    row--;
  }
  return places.reverse();
}

/** @returns the earliest position of the last character, or -1 for no match */
function findEarliest(term: Int32Array, { codes, length }: ScoredText): number {
  let at = -1;
  for (let row = 0; row < term.length; row++) {
    do at++;
    while (at < length && codes[at] !== term[row]);
    if (at >= length) return -1;
    earliest[row] = at;
  }
  return at;
}

function fill(term: Int32Array, text: ScoredText): { readonly score: number; readonly at: number } {
  const { codes, bonuses, length: width } = text;
  let best = 0;
  let bestAt = 0;
  for (let row = 0; row < term.length; row++) {
    const first = earliest[row] ?? 0;
    let left = 0;
    let isInGap = false;
    for (let at = first; at < width; at++) {
      const cell = row * width + at;
      let matched = 0;
      let run = 0;
      const reached: number = left + (isInGap ? gapExtension : gapStart);
      if (codes[at] === term[row]) {
        let worth = bonuses[at] ?? 0;
        run = 1;
        if (row === 0) {
          worth *= firstCounts;
        } else {
          matched = scores[cell - width - 1] ?? 0;
          run += runs[cell - width - 1] ?? 0;
          const ofRun = run > 1 ? (bonuses[at - run + 1] ?? 0) : 0;
          // The begin of a word starts a new run, even within another.
          if (run > 1 && worth >= bonus.atSign && worth > ofRun) run = 1;
          else if (run > 1) worth = Math.max(worth, inRow, ofRun);
        }
        matched += perMatch + worth;
        if (matched < reached) run = 0;
      }
      isInGap = matched < reached;
      left = Math.max(matched, reached, 0);
      scores[cell] = left;
      runs[cell] = run;
      if (row === term.length - 1 && left > best) {
        best = left;
        bestAt = at;
      }
    }
  }
  return { score: best, at: bestAt };
}
