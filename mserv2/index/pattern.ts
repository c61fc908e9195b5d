import { RE2JS, RE2JSException } from 're2js';
import { FileError } from '../../filesystem/file-error.ts';
import { type Folding, foldText } from '../../filesystem/folding.ts';
import type { ComparedText } from './compared-text.ts';
import { parseGlob } from './glob.ts';
import { coarse } from './latin.ts';
import type { Matcher } from './matcher.ts';
import { matchClass, noMatch, relevance } from './relevance.ts';
import type { Field, TextRange } from './search-api.ts';
import type { Segment } from './segment.ts';

/**
 * Limit of RE2 instructions. The time per text is at most its length times these; ordinary patterns have some tens.
 */
const maxInstructions = 3000;

/** Finds texts by a regular expression in RE2's syntax, in linear time. */
export class PatternMatcher implements Matcher {
  readonly needle: Buffer | undefined;
  readonly scores = false;
  readonly #expression: RE2JS;
  readonly #whole: boolean;
  readonly #compared: ComparedText;

  private constructor(expression: RE2JS, whole: boolean, compared: ComparedText, needle: Buffer | undefined) {
    this.#expression = expression;
    this.#whole = whole;
    this.#compared = compared;
    this.needle = needle;
  }

  /**
   * Compiles a regular expression, which may match anywhere; `.` matches line ends too.
   * @throws FileError `patron-no-valido`, `patron-demasiado-costoso`
   */
  static regex(source: string, folding: Folding, compared: ComparedText): PatternMatcher {
    // Folds accents only: small letters would turn \D into \d. RE2 ignores case by a flag.
    const folded = foldText(source, { case: false, accents: folding.accents });
    return new PatternMatcher(compile(folded, folding.case), false, compared, undefined);
  }

  /**
   * Compiles a glob, which must match the whole text.
   * @throws FileError `patron-no-valido`, `patron-demasiado-costoso`
   */
  static glob(pattern: string, field: Field, folding: Folding, compared: ComparedText): PatternMatcher {
    const glob = parseGlob(foldText(pattern, folding), field === 'ruta');
    if (glob === undefined) throw malformed();
    const literal = field === 'nombre' ? foldText(glob.literal, coarse) : '';
    const needle = literal === '' ? undefined : Buffer.from(literal);
    return new PatternMatcher(compile(glob.source, false), true, compared, needle);
  }

  test(segment: Segment, slot: number): number {
    const compared = this.#compared;
    compared.load(segment, slot);
    const text = compared.text();
    const matches = this.#whole ? this.#expression.testExact(text) : this.#expression.test(text);
    return matches ? relevance(matchClass.exact, compared.end - compared.start) : noMatch;
  }

  rangesIn(text: string): TextRange[] {
    if (this.#whole) return [[0, text.length]];
    const match = this.#expression.matcher(text);
    return match.find() ? [[match.start(), match.end()]] : [];
  }
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
