/** One thing that a name must have in it, or must not. */
export interface Word {
  readonly text: string;
  readonly excluded: boolean;
}

/**
 * What `nombre` asks for in mode contiene: words with blanks between them, all of which a name must have in it.
 *
 * - `"a phrase"` is one word, blanks and all; `""` in it stands for one `"`. The quote that ends it may be missing, and
 *   what follows it is a new word. A quote in the middle of a word is a letter like others.
 * - `-word` and `-"a phrase"` are words that a name must not have. Dashes alone are a word: `-`, `--`. To look for what
 *   begins with a dash, quote it: `"-rf"`.
 *
 * There is no escape character, since a backslash may be part of a name. No words ask for every name.
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
