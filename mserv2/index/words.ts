/** One word that a name must contain, or must not. */
export interface Word {
  readonly text: string;
  readonly excluded: boolean;
}

/**
 * Parses `nombre` in mode contiene: words separated by blanks, all of which a name must contain.
 *
 * - `"a phrase"` is one word, blanks included; `""` in it stands for one `"`. The closing quote may be missing. Text
 *   after it is a new word. A quote within a word is an ordinary letter.
 * - `-word` and `-"a phrase"` exclude names. Dashes alone are a word: `-`, `--`. Quote a word that begins with a
 *   dash: `"-rf"`.
 *
 * There is no escape character, since a backslash may be part of a name. No words match every name.
 */
export function parseWords(nombre: string): Word[] {
  const words: Word[] = [];
  const pattern = /(-?)"((?:[^"]|"")*)"?|(\S+)/gu;
  for (const [, dash, phrase, bare = ''] of nombre.matchAll(pattern)) {
    const isExcluded = /^-+[^-]/u.test(bare);
    const word: Word =
      phrase === undefined
        ? { text: isExcluded ? bare.slice(1) : bare, excluded: isExcluded }
        : { text: phrase.replaceAll('""', '"'), excluded: dash === '-' };
    if (word.text !== '') words.push(word);
  }
  return words;
}
