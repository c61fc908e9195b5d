import { foldText } from '../../filesystem/folding.ts';
import { escaped } from './glob.ts';

/** Letters that accents are written with in one code point: Latin, Greek and Cyrillic ones. */
const blocks = [
  [0xc0, 0x52f],
  [0x1e00, 0x1fff],
] as const;
const marks = '[\\x{300}-\\x{36f}]*';
/** The accented letters of each letter. Made for the first pattern that ignores accents. */
let accented: Map<string, string[]> | undefined;

/** Returns RE2's source for a literal letter with its marks, or for another literal character. */
export type LetterSource = (letter: string) => string;

/** Matches the letter as it is written. */
export function writtenLetter(letter: string): string {
  return [...letter].map(escaped).join('');
}

/** Matches the letter without accents. */
export function plainLetter(letter: string): string {
  return writtenLetter(withoutAccents(letter));
}

/** Matches the letter with any accents, in its own case. */
export function accentedLetterOfCase(letter: string): string {
  return anyOf([withoutAccents(letter)]);
}

/** Matches the letter with any accents, also those of the other case without a pair of their own: `İ` for `i`. */
export function accentedLetter(letter: string): string {
  const base = withoutAccents(letter);
  return anyOf([base, base.toLowerCase(), base.toUpperCase()]);
}

function anyOf(bases: readonly [string, ...string[]]): string {
  accented ??= accentedLetters();
  const forms = new Set(bases.flatMap((base) => accented?.get(base) ?? []));
  return forms.size === 0 ? writtenLetter(bases[0]) : `(?:[${bases[0]}${[...forms].join('')}]${marks})`;
}

/**
 * Replaces the letters of a regular expression that stand for themselves; classes, escapes and the names and flags of
 * groups stay as they are written.
 */
export function mapLetters(expression: string, map: LetterSource): string {
  return expression.replaceAll(tokens, (token, quoted?: string, letter?: string) => {
    if (quoted !== undefined)
      return quoted.replaceAll(characters, (each) => (letters.test(each) ? map(each) : writtenLetter(each)));
    return letter === undefined ? token : map(letter);
  });
}

const letters = /^\p{L}/u;
/** A letter with its marks, or another character. */
const characters = /\p{L}\p{M}*|./gsu;

/** Regular expressions for the parts of one in RE2's syntax: an escape, and a class, where a `]` at the begin is a member. */
export const escapeSource = String.raw`\\x\{[^}]*\}|\\x[0-9A-Fa-f]{2}|\\[pP]\{[^}]*\}|\\[0-7]{1,3}|\\[pP]?.`;
export const classSource = String.raw`\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\]`;

const tokens = new RegExp(
  [
    // A quoted text.
    String.raw`\\Q(.*?)(?:\\E|$)`,
    escapeSource,
    classSource,
    // The begin of a group with a name or flags.
    String.raw`\(\?[^:)>]*[:)>]`,
    String.raw`(\p{L}\p{M}*)`,
  ].join('|'),
  'gsu',
);

function withoutAccents(letter: string): string {
  return foldText(letter, { case: false, accents: true });
}

function accentedLetters(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [first, last] of blocks) {
    for (let code = first; code <= last; code++) {
      const letter = String.fromCharCode(code);
      const base = withoutAccents(letter);
      if (base === letter || base === '') continue;
      found.set(base, [...(found.get(base) ?? []), letter]);
    }
  }
  return found;
}
