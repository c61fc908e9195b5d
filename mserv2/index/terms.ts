import { type Folding, foldText } from '../../filesystem/folding.ts';
import type { ComparedText } from './compared-text.ts';
import { coarse } from './latin.ts';
import type { Matcher, RangeFinder } from './matcher.ts';
import { matchClass, noMatch, relevance } from './relevance.ts';
import type { TextRange } from './search-api.ts';
import { capitals, type Segment } from './segment.ts';
import type { Word } from './words.ts';

/** Position of a term in a text: anywhere, the whole text, its begin, its end. */
export type TermMode = 'contiene' | 'exacto' | 'prefijo' | 'sufijo';

interface Term {
  readonly bytes: Buffer;
  readonly text: string;
  readonly excluded: boolean;
}

/** Finds texts that contain all of some words, and none of others. */
export class TermsMatcher implements Matcher, RangeFinder {
  readonly needle: Buffer | undefined;
  readonly scores = false;
  readonly folding: Folding;
  readonly rangeFinders = [this];
  readonly #compared: ComparedText;
  readonly #mode: TermMode;
  readonly #terms: readonly Term[];
  /** The query as it is written: the whole name, or its beginning, ranks before its words do. */
  readonly #written: Buffer;
  /** Whether a name that contains the needle matches without any further test. */
  readonly #isNeedle: boolean;

  /**
   * @param nombre the query as it is written
   * @param inNames whether names are compared, and not paths
   */
  constructor(
    nombre: string,
    words: readonly Word[],
    mode: TermMode,
    folding: Folding,
    compared: ComparedText,
    inNames: boolean,
  ) {
    this.folding = folding;
    this.#compared = compared;
    this.#mode = mode;
    this.#written = Buffer.from(foldText(nombre, folding));
    this.#terms = words.map(({ text, excluded }) => {
      const folded = foldText(text, folding);
      return { bytes: Buffer.from(folded), text: folded, excluded };
    });
    if (inNames) this.needle = needleOf(nombre, words, mode);
    const isCoarse = folding.case && folding.accents;
    // A term with a `/` would be found across the end of one name and the begin of the next.
    const isInName = this.needle !== undefined && !this.needle.includes('/');
    const isOneWord = words.length === 1 && words[0]?.text === nombre;
    this.#isNeedle = isCoarse && mode === 'contiene' && isOneWord && isInName;
  }

  test(segment: Segment, slot: number, enough: number): number {
    const compared = this.#compared;
    compared.load(segment, slot);
    const length = compared.end - compared.start;
    if (this.#isNeedle && enough < relevance(matchClass.inside, length)) {
      const isAtStart = isAt(compared.bytes, compared.start, (this.#terms[0] as Term).bytes);
      const best = relevance(isAtStart ? matchClass.exact : matchClass.word, length);
      if (best > enough) return best;
    }
    const isContained = this.#mode === 'contiene';
    if (isContained && this.#isWhole(this.#written)) return relevance(matchClass.exact, length);
    let worst: number = isContained ? matchClass.prefix : matchClass.exact;
    for (const term of this.#terms) {
      const found = this.#classOf(term.bytes, segment.spellings[slot] ?? 0);
      if ((found === noMatch) !== term.excluded) return noMatch;
      if (found > worst) worst = found;
    }
    if (isContained && worst > matchClass.prefix && this.#isAtStart(this.#written)) worst = matchClass.prefix;
    return relevance(worst, length);
  }

  rangesIn(text: string): TextRange[] {
    const written = this.#written.toString();
    const at = text.length - written.length;
    const isWhole = (at === 0 || at === text.lastIndexOf('/') + 1) && text.endsWith(written);
    if (this.#mode === 'contiene' && isWhole) return [[at, text.length]];
    return this.#terms
      .filter(({ excluded }) => !excluded)
      .flatMap((term) => this.#matchRangesOf(term.text, text));
  }

  /** Returns whether a term is the whole text, or in a path the whole name. */
  #isWhole(term: Buffer): boolean {
    const { bytes, start, nameStart, end } = this.#compared;
    const at = end - term.length;
    return (at === start || at === nameStart) && isAt(bytes, at, term);
  }

  #isAtStart(term: Buffer): boolean {
    const { bytes, start, end } = this.#compared;
    return term.length <= end - start && isAt(bytes, start, term);
  }

  #classOf(term: Buffer, spelling: number): number {
    const { bytes, start, nameStart, end } = this.#compared;
    const length = term.length;
    const last = end - length;
    if (last < start) return noMatch;
    const isAtStart = this.#isAtStart(term);
    if (isAtStart && last === start) return matchClass.exact;
    if (this.#mode === 'exacto') return noMatch;
    // A term of combining marks folds to nothing, which every text begins with.
    if (isAtStart && (this.#mode !== 'sufijo' || length === 0)) return matchClass.prefix;
    if (this.#mode === 'prefijo') return noMatch;
    if (this.#mode === 'sufijo') {
      if (!isAt(bytes, last, term)) return noMatch;
      return this.#isWordStart(last, spelling) ? matchClass.word : matchClass.inside;
    }
    // Matches that end in the name come first; in a path they may begin before it.
    let isInside = false;
    const first = Math.max(start + 1, nameStart - length + 1);
    for (let at = indexOf(bytes, term, first, last); at >= 0; at = indexOf(bytes, term, at + 1, last)) {
      if (this.#isWordStart(at, spelling)) return matchClass.word;
      isInside = true;
    }
    if (isInside) return matchClass.inside;
    return nameStart > start && indexOf(bytes, term, start + 1, first - 1) >= 0 ? matchClass.folder : noMatch;
  }

  /**
   * Returns whether a word begins at a position: after a character that is no letter or digit, between letters and
   * digits, and, in an ASCII name, at a capital after a small letter.
   */
  #isWordStart(at: number, spelling: number): boolean {
    const { bytes, nameStart } = this.#compared;
    const before = bytes[at - 1] ?? 0;
    const here = bytes[at] ?? 0;
    if (!isWordByte(before) || !isWordByte(here) || isDigit(before) !== isDigit(here)) return true;
    return isCapital(spelling, at - nameStart) && !isCapital(spelling, at - 1 - nameStart);
  }

  #matchRangesOf(term: string, text: string): TextRange[] {
    if (term === '') return [];
    const { length } = text;
    if (this.#mode === 'exacto') return [[0, length]];
    if (this.#mode === 'prefijo') return [[0, term.length]];
    if (this.#mode === 'sufijo') return [[length - term.length, length]];
    const ranges: TextRange[] = [];
    for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length)) {
      ranges.push([at, at + term.length]);
    }
    return ranges;
  }
}

/** Returns the longest required word, as the rarest, of those that a name equal to the query contains too. */
function needleOf(nombre: string, words: readonly Word[], mode: TermMode): Buffer | undefined {
  const written = foldText(nombre, coarse);
  let longest = '';
  for (const { text, excluded } of words) {
    const folded = foldText(text, coarse);
    if (!excluded && folded.length > longest.length && written.includes(folded)) longest = folded;
  }
  if (longest === '') return undefined;
  const before = mode === 'exacto' || mode === 'prefijo' ? '/' : '';
  const behind = mode === 'exacto' || mode === 'sufijo' ? '/' : '';
  return Buffer.from(`${before}${longest}${behind}`);
}

function isAt(bytes: Buffer, at: number, term: Buffer): boolean {
  for (let i = 0; i < term.length; i++) if (bytes[at + i] !== term[i]) return false;
  return true;
}

/**
 * Returns the first position from `first` to `last` of `term`, or -1. Faster than Buffer's `indexOf` in texts as
 * short as names.
 */
function indexOf(bytes: Buffer, term: Buffer, first: number, last: number): number {
  const initial = term[0];
  for (let at = first; at <= last; at++) {
    if ((initial === undefined || bytes[at] === initial) && isAt(bytes, at, term)) return at;
  }
  return -1;
}

function isWordByte(byte: number): boolean {
  return byte >= 0x80 || (byte >= 0x61 && byte <= 0x7a) || isDigit(byte) || (byte >= 0x41 && byte <= 0x5a);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isCapital(spelling: number, at: number): boolean {
  return spelling >= capitals && at >= 0 && at < 31 && ((spelling >>> at) & 1) !== 0;
}
