import { type Folding, foldText } from '../../filesystem/folding.ts';
import type { ComparedText } from './compared-text.ts';
import { bestScore, fuzzyPlaces, fuzzyScore } from './fuzzy-score.ts';
import type { Matcher, RangeFinder } from './matcher.ts';
import { noMatch, relevanceOfScore } from './relevance.ts';
import { ScoredText } from './scored-text.ts';
import type { TextRange } from './search-api.ts';
import { capitals, type Segment } from './segment.ts';

interface Term {
  readonly bytes: Buffer;
  readonly codes: Int32Array;
}

/**
 * Finds texts that contain the characters of each term in their order, with others in between. Blanks separate terms,
 * as in `inf tec` for `Informe_Técnico`; all terms must match, in any order, and their scores add up.
 */
export class FuzzyMatcher implements Matcher, RangeFinder {
  readonly needle = undefined;
  readonly scores = true;
  readonly folding: Folding;
  readonly rangeFinders = [this];
  readonly #compared: ComparedText;
  readonly #terms: readonly Term[];
  /** The query as it is written: the text that equals it comes first. */
  readonly #written: Term;
  readonly #text = new ScoredText();

  constructor(nombre: string, folding: Folding, compared: ComparedText) {
    this.folding = folding;
    this.#compared = compared;
    const written = foldText(nombre, folding);
    this.#written = termOf(written);
    const words = written.split(/\s+/u);
    this.#terms = words.flatMap((word) => (word === '' ? [] : [termOf(word)]));
  }

  test(segment: Segment, slot: number): number {
    const compared = this.#compared;
    compared.load(segment, slot);
    for (const { bytes } of this.#terms) {
      if (!isScattered(bytes, compared.bytes, compared.start, compared.end)) return noMatch;
    }
    this.#read(segment.spellings[slot] ?? 0);
    const length = compared.end - compared.start;
    const { bytes, codes } = this.#written;
    if (bytes.compare(compared.bytes, compared.start, compared.end) === 0) {
      return relevanceOfScore(bestScore(codes.length), length);
    }
    let sum = 0;
    for (const { codes } of this.#terms) {
      const score = fuzzyScore(codes, this.#text);
      if (score === 0) return noMatch;
      sum += score;
    }
    return relevanceOfScore(sum, length);
  }

  rangesIn(text: string, isCapital: (at: number) => boolean): TextRange[] {
    const offsets: number[] = [];
    this.#text.clear();
    let offset = 0;
    for (const character of text) {
      offsets.push(offset);
      this.#text.push(character.codePointAt(0) ?? 0, isCapital(offset));
      offset += character.length;
    }
    offsets.push(offset);
    return this.#terms.flatMap(({ codes }) =>
      fuzzyPlaces(codes, this.#text).map((at): TextRange => [offsets[at] ?? 0, offsets[at + 1] ?? 0]),
    );
  }

  #read(spelling: number): void {
    const { bytes, start, nameStart, end } = this.#compared;
    this.#text.clear();
    for (let at = start; at < end; ) {
      const lead = bytes[at] ?? 0;
      if (lead < 0x80) {
        const place = at - nameStart;
        const isCapital =
          spelling >= capitals && place >= 0 && place < 31 && ((spelling >>> place) & 1) !== 0;
        this.#text.push(lead, isCapital);
        at++;
      } else {
        const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        let code = lead & (0x7f >>> length);
        for (let i = 1; i < length; i++) code = (code << 6) | ((bytes[at + i] ?? 0) & 0x3f);
        this.#text.push(code, false);
        at += length;
      }
    }
  }
}

function termOf(word: string): Term {
  const codes = Array.from(word, (character) => character.codePointAt(0) ?? 0);
  return { bytes: Buffer.from(word), codes: Int32Array.from(codes) };
}

/** Returns whether all bytes of a term occur in their order. True for every match, and seldom otherwise. */
function isScattered(term: Buffer, bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  for (let i = 0; i < term.length; i++) {
    const wanted = term[i];
    while (at < end && bytes[at] !== wanted) at++;
    if (at++ >= end) return false;
  }
  return true;
}
