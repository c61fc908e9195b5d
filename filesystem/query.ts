import { FileError } from './file-error.ts';
import { Kind } from './kind.ts';

const kinds: ReadonlySet<number> = new Set(Object.values(Kind));
const maxPage = 10_000;

/**
 * The kinds that pass a filter, each once and in order; an empty one lets all pass.
 * @throws FileError `tipo-no-valido`
 */
export function kindFilter(tipos: readonly number[]): ReadonlySet<number> {
  if (tipos.some((tipo) => !kinds.has(tipo))) {
    throw new FileError('INVALID_ARGUMENT', 'tipo-no-valido', 'Unknown type of entry');
  }
  return tipos.length === 0 ? kinds : new Set([...kinds].filter((kind) => tipos.includes(kind)));
}

/**
 * How many entries a page may have; 0 asks for the default.
 * @throws FileError `limite-no-valido`
 */
export function pageSize(limite: number, byDefault: number): number {
  if (!Number.isInteger(limite) || limite < 0 || limite > maxPage) {
    throw new FileError('INVALID_ARGUMENT', 'limite-no-valido', `The limit must be 1 to ${maxPage}`);
  }
  return limite === 0 ? byDefault : limite;
}
