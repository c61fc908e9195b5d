import { accepted } from '../http/accepted.ts';
import { ProblemError } from '../http/problem.ts';
import type { Formato, Operation } from '../operations/operation.ts';

const mediaTypeOf: Readonly<Record<Formato, string>> = {
  json: 'application/json',
  nombres: 'application/json',
  ndjson: 'application/x-ndjson',
};

/**
 * Chooses the representation of an answer. The parameter `formato` wins over `Accept`; without both it is JSON. At equal
 * weights an exact media type wins over a range, and an earlier one over a later one.
 * @throws ProblemError `no-aceptable` when `Accept` excludes every representation of the operation
 */
export function formatoOf(
  { formatos }: Pick<Operation, 'formatos'>,
  formato: Formato | undefined,
  accept: string | undefined,
): Formato {
  if (formato !== undefined) return formato;
  const preferred = formatos[0] ?? 'json';
  if (accept === undefined || accept.trim() === '') return preferred;
  const tipos = [...new Set(formatos.map((each) => mediaTypeOf[each]))];
  // Parameters of a range are ignored: `application/json; charset=utf-8` is answered with JSON.
  const ranges = accept.replace(/;(?!\s*q\s*=)[^;,]*/gi, '');
  const tipo = accepted('accept', ranges).mediaType(tipos);
  // Several formats may have one media type: the first in the operation's list counts.
  const best = formatos.find((each) => mediaTypeOf[each] === tipo);
  if (best !== undefined) return best;
  throw new ProblemError('no-aceptable', { values: { tipos: tipos.join(', ') } });
}
