import { type ByteString, folderOf, lastPart, splitParts, toText } from '../../filesystem/byte-string.ts';
import { type Folding, foldText } from '../../filesystem/folding.ts';
import type { RangeFinder } from './matcher.ts';
import type { Field, TextRange } from './search-api.ts';

/**
 * Returns the ranges of an entry's name that match, in UTF-16 units of its decoded text. Queries match the folded
 * text; its characters are traced back to their origins, a letter with its accents. A match in a path counts as far
 * as it is in the name. Returns none for the few texts whose folding cannot be traced.
 */
export function matchRangesOf(path: ByteString, finders: readonly RangeFinder[], field: Field): TextRange[] {
  const name = toText(lastPart(path)).text;
  const folders = field === 'ruta' ? splitParts(folderOf(path)).map((part) => toText(part).text) : [];
  return merged(finders.flatMap((finder) => rangesBy(finder, folders, name)));
}

function rangesBy(finder: RangeFinder, folders: readonly string[], name: string): TextRange[] {
  const { folding } = finder;
  const folder = folders.map((part) => `${foldText(part, folding)}/`).join('');
  const folded = foldText(name, folding);
  const isAscii = ascii.test(name);
  const isCapital = (at: number) => isAscii && capital.test(name[at - folder.length] ?? '');
  if (isAscii && folder === '') return finder.rangesIn(folded, isCapital);
  const origins = originsOf(name, folded, folding);
  if (origins === undefined) return [];
  const ranges: TextRange[] = [];
  for (const [from, to] of finder.rangesIn(`${folder}${folded}`, isCapital)) {
    const first = Math.max(0, from - folder.length);
    const end = to - folder.length;
    if (end > first) ranges.push([origins.start[first] ?? 0, origins.end[end - 1] ?? name.length]);
  }
  return ranges;
}

interface Origins {
  /** Begin and end of the original letter, by unit of the folded text. */
  readonly start: readonly number[];
  readonly end: readonly number[];
}

/** Texts that fold letter by letter. */
const ascii = /^\p{ASCII}*$/u;
const capital = /^[A-Z]$/;
const letters = /\P{M}\p{M}*|\p{M}+/gu;
/** Made on demand: few names need it, and making it takes a tenth of the index worker's loading time. */
let graphemes: Intl.Segmenter | undefined;

function originsOf(name: string, folded: string, folding: Folding): Origins | undefined {
  const byLetter = trace(name.match(letters) ?? [], folded, folding);
  if (byLetter !== undefined) return byLetter;
  // A Hangul syllable may consist of several letters that are no marks.
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const pieces = Array.from(graphemes.segment(name), ({ segment }) => segment);
  return trace(pieces, folded, folding);
}

function trace(pieces: readonly string[], folded: string, folding: Folding): Origins | undefined {
  const start: number[] = [];
  const end: number[] = [];
  let text = '';
  let at = 0;
  for (const piece of pieces) {
    const part = foldText(piece, folding);
    for (let i = 0; i < part.length; i++) {
      start.push(at);
      end.push(at + piece.length);
    }
    text += part;
    at += piece.length;
  }
  return text === folded ? { start, end } : undefined;
}

/** Returns the ranges in order, joined where they touch or overlap, without empty ones. */
function merged(ranges: readonly TextRange[]): TextRange[] {
  const result: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (to <= from) continue;
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}
