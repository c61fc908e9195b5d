import { FileError } from './file-error.ts';
import { Kind } from './kind.ts';

const kinds: ReadonlySet<number> = new Set(Object.values(Kind));
const maxPage = 10_000;

/**
 * Returns the kinds that pass a filter, deduplicated and sorted; an empty filter passes all kinds.
 * @throws FileError `tipo-no-valido`
 */
export function kindFilter(tipos: readonly number[]): ReadonlySet<number> {
  if (tipos.some((tipo) => !kinds.has(tipo))) {
    throw new FileError('INVALID_ARGUMENT', 'tipo-no-valido', 'Unknown type of entry');
  }
  return tipos.length === 0 ? kinds : new Set([...kinds].filter((kind) => tipos.includes(kind)));
}

/**
 * Returns the page size; 0 selects the default.
 * @throws FileError `limite-no-valido`
 */
export function pageSize(limite: number, byDefault: number): number {
  if (!Number.isInteger(limite) || limite < 0 || limite > maxPage) {
    throw new FileError('INVALID_ARGUMENT', 'limite-no-valido', `The limit must be 1 to ${maxPage}`);
  }
  return limite === 0 ? byDefault : limite;
}
