import { type ByteString, fromText, toText } from '../../../filesystem/byte-string.ts';
import { type Folding, foldText } from '../../../filesystem/folding.ts';
import { Kind } from '../../../filesystem/kind.ts';
import { parseGlob } from '../../../mserv2/index/glob.ts';
import type { SearchQuery } from '../../../mserv2/index/search-api.ts';
import { parseWords } from '../../../mserv2/index/words.ts';
import { globMatches } from './glob-reference.ts';
import type { ModelEntry } from './index-model.ts';

/** Returns the entries that a search should find, in order and without pages, by the simplest code. */
export function referenceSearch(entries: Iterable<ModelEntry>, query: SearchQuery): ModelEntry[] {
  const start = query.parts.join('/');
  const below = start === '' ? '' : `${start}/`;
  return [...entries]
    .filter(({ path }) => path.startsWith(below))
    .filter(
      ({ path }) =>
        query.hidden ||
        !path
          .slice(below.length)
          .split('/')
          .some((name) => name.startsWith('.')),
    )
    .filter((entry) => passes(entry, query) && matches(entry, query))
    .sort((a, b) => compare(a, b, query));
}

function passes({ name, kind, size, mtimeNs }: ModelEntry, query: SearchQuery): boolean {
  const { kinds, extensions, minBytes, maxBytes, since, until } = query;
  if (!kinds.has(kind)) return false;
  const folded = foldText(toText(name).text, { case: true, accents: true });
  const wanted = extensions.map((extension) =>
    foldText(extension.replace(/^\./, ''), { case: true, accents: true }),
  );
  if (
    wanted.length > 0 &&
    !wanted.some((end) => folded.lastIndexOf(`.${end}`) > 0 && folded.endsWith(`.${end}`))
  ) {
    return false;
  }
  const bytes = kind === Kind.FOLDER ? undefined : size;
  if (minBytes !== undefined && !(bytes !== undefined && bytes >= minBytes)) return false;
  if (maxBytes !== undefined && !(bytes !== undefined && bytes <= maxBytes)) return false;
  const ms = mtimeNs === undefined ? undefined : shownMs(mtimeNs);
  if (since !== undefined && !(ms !== undefined && ms >= since)) return false;
  return !(until !== undefined && !(ms !== undefined && ms <= until));
}

/** Rounds to the nearest millisecond, halves up. */
function shownMs(ns: bigint): number {
  return Number(floorDivide(ns + 500_000n, 1_000_000n));
}

function floorDivide(a: bigint, b: bigint): bigint {
  return a / b - (a % b < 0n ? 1n : 0n);
}

export function comparedText({ name, path }: Pick<ModelEntry, 'name' | 'path'>, query: SearchQuery): string {
  return foldText(toText(query.field === 'ruta' ? path : name).text, textFolding(query));
}

/** Patterns that depend on single characters are matched with names as they are written. */
function textFolding({ nombre, mode, folding }: SearchQuery): Folding {
  const asWritten = mode === 'regex' || (mode === 'glob' && /[?[]/.test(nombre));
  return asWritten ? { case: false, accents: false } : folding;
}

function matches(entry: ModelEntry, query: SearchQuery): boolean {
  const { nombre, mode, folding } = query;
  const text = comparedText(entry, query);
  const wanted = foldText(nombre, folding);
  if (nombre === '') return true;
  switch (mode) {
    case 'contiene':
      if (isWhole(text, wanted, entry, query)) return true;
      return parseWords(nombre).every(
        (word) => text.includes(foldText(word.text, folding)) !== word.excluded,
      );
    case 'literal-o-glob':
      return (
        matches(entry, literally(query)) || (isGlob(nombre) && matches(entry, { ...query, mode: 'glob' }))
      );
    case 'exacto':
      return text === wanted;
    case 'prefijo':
      return text.startsWith(wanted);
    case 'sufijo':
      return text.endsWith(wanted);
    case 'glob':
      return globMatches(nombre.normalize('NFC'), text, query.field === 'ruta', folding);
    case 'regex':
      return new RegExp(withLetters(nombre, text, folding), folding.case ? 'isu' : 'su').test(text);
    case 'difuso':
      return wanted.split(/\s+/u).every((word) => isScattered([...word], [...text]));
  }
}

/** Replaces each literal letter of an expression by the characters of the text that it matches. */
function withLetters(expression: string, text: string, folding: Folding): string {
  return expression.replaceAll(/\[[^\]]*\]|\\.|(\p{L})/gu, (token, letter?: string) => {
    if (letter === undefined) return token;
    const same = [...text].filter((other) => foldText(other, folding) === foldText(letter, folding));
    const marks = folding.accents ? '\\p{M}*' : '';
    return `(?:[${letter}${same.join('')}]${marks})`;
  });
}

function isScattered(term: readonly string[], text: readonly string[]): boolean {
  let at = 0;
  return term.every((character) => {
    at = text.indexOf(character, at) + 1;
    return at > 0;
  });
}

function compare(a: ModelEntry, b: ModelEntry, query: SearchQuery): number {
  const keys = [a, b].map((entry) => keyOf(entry, query));
  const sign = query.descending ? -1 : 1;
  const [one, other] = keys as [string | number | bigint, string | number | bigint];
  if (one !== other) return one < other ? -sign : sign;
  return (a.path < b.path ? -1 : 1) * (query.order === 'ruta' ? sign : 1);
}

function keyOf(entry: ModelEntry, query: SearchQuery): string | number | bigint {
  switch (query.order) {
    case 'ruta':
      return 0;
    case 'nombre':
      return entry.name;
    case 'bytes':
      return entry.kind === Kind.FOLDER ? -1 : (entry.size ?? -1);
    case 'modificado':
      return entry.mtimeNs ?? -(10n ** 30n);
    case 'relevancia':
      return relevanceKey(entry, query);
  }
}

/** A default query in mode contiene; as a phrase when no word is required. */
function literally(query: SearchQuery): SearchQuery {
  const isRequired = parseWords(query.nombre).some(({ excluded }) => !excluded);
  const nombre = isRequired ? query.nombre : `"${query.nombre.replaceAll('"', '""')}"`;
  return { ...query, mode: 'contiene', nombre };
}

function isGlob(nombre: string): boolean {
  return parseGlob(nombre, false) !== undefined;
}

/** Combines class and length. For `difuso` every key is 0: its scores are not modelled here. */
function relevanceKey(entry: ModelEntry, query: SearchQuery): number {
  if (query.mode === 'literal-o-glob' && query.nombre !== '') {
    const literal = literally(query);
    if (matches(entry, literal)) return relevanceKey(entry, literal);
    return 5e6 + relevanceKey(entry, { ...query, mode: 'glob' });
  }
  const text = comparedText(entry, query);
  const terms =
    query.mode === 'contiene' ? parseWords(query.nombre) : [{ text: query.nombre, excluded: false }];
  if (query.nombre === '' || query.mode === 'difuso' || terms.length === 0) return 0;
  const length = Buffer.byteLength(text);
  if (query.mode === 'glob' || query.mode === 'regex') return length;
  const folder = query.field === 'ruta' ? text.lastIndexOf('/') + 1 : 0;
  const written = foldText(query.nombre, query.folding);
  if (query.mode === 'contiene' && isWhole(text, written, entry, query)) return length;
  const classes = terms
    .filter(({ excluded }) => !excluded)
    .map((term) => classOf(text, foldText(term.text, query.folding), folder, entry.name, query));
  if (query.mode === 'contiene' && text.startsWith(written)) return 1e6 + length;
  return Math.max(query.mode === 'contiene' ? 1 : 0, ...classes) * 1e6 + length;
}

/** Whether a query in mode contiene is the whole text, or in a path the whole name. */
function isWhole(text: string, written: string, { name }: ModelEntry, { folding }: SearchQuery): boolean {
  return text === written || foldText(toText(name).text, folding) === written;
}

function classOf(text: string, term: string, folder: number, name: ByteString, query: SearchQuery): number {
  if (text === term) return 0;
  const isSuffix = query.mode === 'sufijo';
  if (term === '' || (!isSuffix && text.startsWith(term))) return 1;
  let best = isSuffix ? 3 : 4;
  for (let at = isSuffix ? text.length - term.length : 1; at + term.length <= text.length; at++) {
    if (!text.startsWith(term, at) || (!isSuffix && at + term.length <= folder)) continue;
    best = Math.min(best, isWordStart(text, at, at - folder, name) ? 2 : 3);
  }
  return best;
}

function isWordStart(text: string, at: number, inName: number, name: ByteString): boolean {
  const before = text[at - 1] ?? '';
  const here = text[at] ?? '';
  const isWord = (character: string) => /[a-z0-9\u0080-\uffff]/i.test(character);
  const isDigit = (character: string) => /[0-9]/.test(character);
  if (!isWord(before) || !isWord(here) || isDigit(before) !== isDigit(here)) return true;
  const isAscii = fromText(toText(name).text) === name && /^\p{ASCII}*$/u.test(name);
  if (!isAscii || /[A-Z]/.test(name.slice(31))) return false;
  const isCapital = (place: number) => place >= 0 && /[A-Z]/.test(name[place] ?? '');
  return isCapital(inName) && !isCapital(inName - 1);
}

export const anyFolding: readonly Folding[] = [true, false].flatMap((cases) =>
  [true, false].map((accents) => ({ case: cases, accents })),
);
