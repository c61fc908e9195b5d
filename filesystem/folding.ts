export interface Folding {
  readonly case: boolean;
  readonly accents: boolean;
}

const notAscii = /[^\p{ASCII}]/u;
/** Marks of Latin, Greek and Cyrillic letters, and of no script. Elsewhere marks are vowels and other parts of a word. */
const accentMarks = /[\p{M}&&[\p{scx=Latin}\p{scx=Greek}\p{scx=Cyrillic}\p{scx=Inherited}]]/gv;
/** Unicode keeps `ı` apart from `i` unless the language is Turkish. */
const withoutDotlessI = /[^\p{ASCII}ı]+/gu;

/**
 * Returns the text in its comparison form, with the chosen differences folded away. NFD (a separate accent character,
 * as macOS writes names) and NFC always compare equal.
 */
export function foldText(text: string, folding: Folding): string {
  if (!notAscii.test(text)) return folding.case ? text.toLowerCase() : text;
  const decomposed = text.normalize('NFD');
  const unmarked = folding.accents ? decomposed.replaceAll(accentMarks, '').replaceAll('ı', 'i') : decomposed;
  return (folding.case ? foldCase(unmarked) : unmarked).normalize('NFC');
}

/**
 * Folds case by Unicode's table of full case folding (CaseFolding.txt, C and F): `ß` becomes `ss`, and a ligature its
 * letters. JavaScript has no function for it, but upper case makes the same letters equal.
 */
function foldCase(text: string): string {
  const upper = text.toLowerCase().replaceAll(withoutDotlessI, (letters) => letters.toUpperCase());
  // The form of σ depends on its position.
  return upper.toLowerCase().replaceAll('ς', 'σ');
}
