import { FileError } from '../filesystem/file-error.ts';
import { type Folding, foldText } from '../filesystem/folding.ts';
import { compileGlob } from './glob.ts';

/** How a text is looked for in names. */
export type Mode = 'contiene' | 'exacto' | 'glob';

/** Longer than four times any name, and short enough for a pattern to be tried on every name of a tree. */
const maxBytes = 1024;

/** What `nombre` asks for when it does not say how. */
export function defaultMode(nombre: string): Mode {
  return /[*?[]/.test(nombre) ? 'glob' : 'contiene';
}

/**
 * Makes a test for names, as text. An empty `nombre` asks for every name.
 * @throws FileError `nombre-demasiado-largo`, `patron-no-valido`
 */
export function createMatcher(nombre: string, mode: Mode, folding: Folding): (name: string) => boolean {
  if (Buffer.byteLength(nombre) > maxBytes) {
    throw invalid('nombre-demasiado-largo', `The name is longer than ${maxBytes} bytes`);
  }
  if (nombre === '') return () => true;
  const wanted = foldText(nombre, folding);
  switch (mode) {
    case 'contiene':
      return (name) => foldText(name, folding).includes(wanted);
    case 'exacto':
      return (name) => foldText(name, folding) === wanted;
    case 'glob': {
      const test = compileGlob(wanted);
      if (test === undefined) throw invalid('patron-no-valido', 'The pattern is malformed');
      return (name) => test(foldText(name, folding));
    }
  }
}

function invalid(reason: string, message: string): FileError {
  return new FileError('INVALID_ARGUMENT', reason, message);
}
