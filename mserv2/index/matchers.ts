import { FileError } from '../../filesystem/file-error.ts';
import { ComparedText } from './compared-text.ts';
import { everything } from './everything.ts';
import { FuzzyMatcher } from './fuzzy.ts';
import { LiteralOrGlobMatcher } from './literal-or-glob.ts';
import type { Matcher } from './matcher.ts';
import { PatternMatcher } from './pattern.ts';
import type { ReadView } from './read-view.ts';
import type { Criteria } from './search-api.ts';
import { TermsMatcher } from './terms.ts';
import { parseWords } from './words.ts';

/** Longer than four times any name, and short enough to be tried on every name of a tree. */
const maxBytes = 1024;

/** @throws FileError `nombre-demasiado-largo`, `patron-no-valido`, `patron-demasiado-costoso` */
export function createMatcher(criteria: Criteria, view: ReadView): Matcher {
  const { nombre, mode, field, folding } = criteria;
  if (Buffer.byteLength(nombre) > maxBytes) {
    throw new FileError(
      'INVALID_ARGUMENT',
      'nombre-demasiado-largo',
      `The name is longer than ${maxBytes} bytes`,
    );
  }
  const compared = new ComparedText(view, field, folding);
  if (nombre === '') return everything;
  switch (mode) {
    case 'contiene': {
      const words = parseWords(nombre);
      return words.length === 0
        ? everything
        : new TermsMatcher(nombre, words, mode, folding, compared, field === 'nombre');
    }
    case 'literal-o-glob': {
      const parsed = parseWords(nombre);
      // Without a required word, as in `-*`, nearly every name would match.
      const words = parsed.some(({ excluded }) => !excluded) ? parsed : [{ text: nombre, excluded: false }];
      const literal = new TermsMatcher(nombre, words, 'contiene', folding, compared, field === 'nombre');
      const glob = PatternMatcher.globIfValid(nombre, { view, field, folding });
      return glob === undefined ? literal : new LiteralOrGlobMatcher(words, literal, glob);
    }
    case 'exacto':
    case 'prefijo':
    case 'sufijo': {
      const words = [{ text: nombre, excluded: false }];
      return new TermsMatcher(nombre, words, mode, folding, compared, field === 'nombre');
    }
    case 'glob':
      return PatternMatcher.glob(nombre, { view, field, folding });
    case 'regex':
      return PatternMatcher.regex(nombre, { view, field, folding });
    case 'difuso':
      return nombre.trim() === '' ? everything : new FuzzyMatcher(nombre, folding, compared);
  }
}
