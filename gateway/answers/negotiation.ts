import { ProblemError } from '../http/problem.ts';
import { parseWeighted, type Weighted } from '../http/quality.ts';
import type { Operation, Pedido } from '../operations/operation.ts';

const mediaTypeOf: Readonly<Record<Pedido, string>> = {
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
  formato: Pedido | undefined,
  accept: string | undefined,
): Pedido {
  if (formato !== undefined) return formato;
  const preferred = formatos[0] ?? 'json';
  if (accept === undefined || accept.trim() === '') return preferred;
  const accepted = parseWeighted(accept);
  const [best] = formatos
    .filter((each) => each === preferred || mediaTypeOf[each] !== mediaTypeOf[preferred])
    .map((each) => ({ each, ...preferenceFor(mediaTypeOf[each], accepted) }))
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q || a.vagueness - b.vagueness || a.place - b.place);
  if (best !== undefined) return best.each;
  const tipos = [...new Set(formatos.map((each) => mediaTypeOf[each]))].join(', ');
  throw new ProblemError('no-aceptable', { values: { tipos } });
}

/** The most specific matching range decides (RFC 9110, section 12.5.1). */
function preferenceFor(mediaType: string, accepted: readonly Weighted[]) {
  for (const [vagueness, range] of [mediaType, 'application/*', '*/*'].entries()) {
    const place = accepted.findIndex(({ value }) => value === range);
    if (place === -1) continue;
    const q = Math.max(...accepted.filter(({ value }) => value === range).map((each) => each.q));
    return { q, vagueness, place };
  }
  return { q: 0, vagueness: 3, place: 0 };
}
