import type { Formato, Operation } from '../operations/operation.ts';
import { ProblemError } from './problem.ts';
import { parseWeighted } from './quality.ts';

const mediaType = 'application/json';
/** What matches our media type, most specific first (RFC 9110, section 12.5.1). */
const ranges = [mediaType, 'application/*', '*/*'];

/**
 * How an operation's answer is to be written. The parameter `formato` wins over `Accept`; without both it is JSON.
 * @throws ProblemError `no-aceptable` when `Accept` has no room for JSON.
 */
export function formatoOf(
  operation: Pick<Operation, 'formatos'>,
  formato: Formato | undefined,
  accept: string | undefined,
): Formato {
  if (formato !== undefined) return formato;
  if (accept !== undefined && accept.trim() !== '' && !admitsJson(accept)) {
    throw new ProblemError('no-aceptable', { values: { tipos: mediaType } });
  }
  return operation.formatos[0] ?? 'json';
}

function admitsJson(accept: string): boolean {
  const accepted = parseWeighted(accept);
  for (const range of ranges) {
    const matching = accepted.filter(({ value }) => value === range);
    if (matching.length > 0) return matching.some(({ q }) => q > 0);
  }
  return false;
}
