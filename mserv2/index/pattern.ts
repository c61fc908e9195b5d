import { RE2JS, RE2JSException } from 're2js';
import { FileError } from '../../filesystem/file-error.ts';
import { type Folding, foldText } from '../../filesystem/folding.ts';
import { ComparedText } from './compared-text.ts';
import { parseGlob } from './glob.ts';
import { coarse } from './latin.ts';
import type { Matcher, RangeFinder } from './matcher.ts';
import {
  accentedLetter,
  accentedLetterOfCase,
  type LetterSource,
  mapLetters,
  plainLetter,
  writtenLetter,
} from './pattern-letters.ts';
import { literalOf } from './pattern-literal.ts';
import type { ReadView } from './read-view.ts';
import { matchClass, noMatch, relevance } from './relevance.ts';
import type { Field, TextRange } from './search-api.ts';
import type { Segment } from './segment.ts';

/**
 * Limit of RE2 instructions. The time per text is at most its length times these; ordinary patterns have some tens.
 */
const maxInstructions = 3000;

export interface PatternOptions {
  readonly view: ReadView;
  readonly field: Field;
  readonly folding: Folding;
}

/** A pattern that depends on single characters gets names as they are written, in NFC. */
const asWritten: Folding = { case: false, accents: false };

/**
 * Finds texts by a regular expression in RE2's syntax, in linear time.
 *
 * Texts are folded only where the pattern's meaning stays: a glob of literal text and stars is compared like words are.
 * In other patterns classes, escapes and flags have RE2's meaning on the name as it is written. Case is ignored by RE2's
 * flag, and accents by letters that also match their accented forms.
 */
export class PatternMatcher implements Matcher, RangeFinder {
  readonly needle: Buffer | undefined;
  readonly scores = false;
  readonly folding: Folding;
  readonly rangeFinders = [this];
  /** For texts in ASCII, which are most, the same expression without accented letters. */
  readonly #ofAscii: RE2JS;
  readonly #ofOthers: RE2JS;
  readonly #whole: boolean;
  readonly #compared: ComparedText;

  private constructor(
    [ofAscii, ofOthers]: readonly [RE2JS, RE2JS],
    whole: boolean,
    compared: ComparedText,
    folding: Folding,
    needle: Buffer | undefined,
  ) {
    this.#ofAscii = ofAscii;
    this.#ofOthers = ofOthers;
    this.#whole = whole;
    this.#compared = compared;
    this.folding = folding;
    this.needle = needle;
  }

  /**
   * Compiles a regular expression, which may match anywhere; `.` matches line ends too.
   * @throws FileError `patron-no-valido`, `patron-demasiado-costoso`
   */
  static regex(pattern: string, { view, field, folding }: PatternOptions): PatternMatcher {
    const source = pattern.normalize('NFC');
    // A pattern may switch RE2's flag off: then case counts for its accented letters too.
    const letters = /\(\?[a-zA-Z]*-[a-zA-Z]*i/.test(source) ? accentedLetterOfCase : accentedLetter;
    const expressions = compileBoth((letter) => mapLetters(source, letter), folding, letters);
    const needle = field === 'ruta' ? undefined : needleOf(literalOf(source));
    const compared = new ComparedText(view, field, asWritten);
    return new PatternMatcher(expressions, false, compared, asWritten, needle);
  }

  /**
   * Compiles a glob, which must match the whole text.
   * @throws FileError `patron-no-valido`, `patron-demasiado-costoso`
   */
  static glob(pattern: string, options: PatternOptions): PatternMatcher {
    const matcher = PatternMatcher.globIfValid(pattern, options);
    if (matcher === undefined) throw malformed();
    return matcher;
  }

  /**
   * Compiles a glob; undefined when it is malformed.
   * @throws FileError `patron-demasiado-costoso`
   */
  static globIfValid(pattern: string, { view, field, folding }: PatternOptions): PatternMatcher | undefined {
    const dependsOnCharacters = /[?[]/.test(pattern);
    const compared = dependsOnCharacters ? asWritten : folding;
    const text = foldText(pattern, compared);
    const isPath = field === 'ruta';
    const glob = parseGlob(text, isPath);
    if (glob === undefined) return undefined;
    const source = (letter: LetterSource) => parseGlob(text, isPath, letter)?.source ?? '';
    const expressions = compileBoth(source, dependsOnCharacters ? folding : asWritten, accentedLetter);
    const needle = isPath ? undefined : needleOf(foldText(glob.literal, coarse));
    return new PatternMatcher(expressions, true, new ComparedText(view, field, compared), compared, needle);
  }

  test(segment: Segment, slot: number): number {
    const compared = this.#compared;
    compared.load(segment, slot);
    const length = compared.end - compared.start;
    return this.#matches(compared.text(), length) ? relevance(matchClass.exact, length) : noMatch;
  }

  rangesIn(text: string): TextRange[] {
    const expression = this.#expressionFor(text, Buffer.byteLength(text));
    if (this.#whole) return expression.testExact(text) ? [[0, text.length]] : [];
    const match = expression.matcher(text);
    return match.find() ? [[match.start(), match.end()]] : [];
  }

  #matches(text: string, bytes: number): boolean {
    const expression = this.#expressionFor(text, bytes);
    return this.#whole ? expression.testExact(text) : expression.test(text);
  }

  #expressionFor(text: string, bytes: number): RE2JS {
    return text.length === bytes ? this.#ofAscii : this.#ofOthers;
  }
}

function needleOf(literal: string): Buffer | undefined {
  return literal === '' ? undefined : Buffer.from(literal);
}

/** Compiles a pattern for texts in ASCII and for others. */
function compileBoth(
  sourceWith: (letter: LetterSource) => string,
  { case: ignoreCase, accents }: Folding,
  accented: LetterSource,
): readonly [RE2JS, RE2JS] {
  const ofAscii = compile(sourceWith(accents ? plainLetter : writtenLetter), ignoreCase);
  if (!accents) return [ofAscii, ofAscii];
  return [ofAscii, compile(sourceWith(ignoreCase ? accented : accentedLetterOfCase), ignoreCase)];
}

function compile(source: string, ignoreCase: boolean): RE2JS {
  const expression = tryCompile(source, RE2JS.DOTALL | (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0));
  if (expression.programSize() <= maxInstructions) return expression;
  throw new FileError('INVALID_ARGUMENT', 'patron-demasiado-costoso', 'The pattern is too large');
}

function tryCompile(source: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(source, flags);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw malformed({ cause: error });
  }
}

function malformed(options?: { cause: unknown }): FileError {
  return new FileError('INVALID_ARGUMENT', 'patron-no-valido', 'The pattern is malformed', options);
}
