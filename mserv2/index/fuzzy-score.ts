import { bonus, type ScoredText } from './scored-text.ts';

/*
 * How well the characters of a term are found, in their order, in a text with others between them: fzf's way of scoring
 * (FuzzyMatchV2 in its src/algo/algo.go), which many have in their fingers. A variant of Smith and Waterman's: gaps cost,
 * and a match is worth more where a word begins, and right behind another match.
 */

const perMatch = 16;
const gapStart = -3;
const gapExtension = -1;
const inRow = 4;
const firstCounts = 2;

/** Cells of the two tables. A term and a text that need more are matched, and not scored in full. */
const maxCells = 1 << 16;

/** By term character and text character: the best score that ends there, and the length of the run of matches that does. */
const scores = new Int32Array(maxCells);
const runs = new Int32Array(maxCells);
/** Where each character of the term can be at the earliest. */
const earliest = new Int32Array(2048);

/** The score of a term in a text; 0 when it is not in it. */
export function fuzzyScore(term: Int32Array, text: ScoredText): number {
  const end = findEarliest(term, text);
  if (end < 0) return 0;
  if (term.length * text.length > maxCells) return perMatch * term.length;
  return fill(term, text).score;
}

/** Where the characters of a term are that is in a text, when its score is best. */
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

/** @returns where the last character is at the earliest, or -1 when the term is not in the text */
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
          // A word's beginning begins a new run, even in the middle of another.
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
