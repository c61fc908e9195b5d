import { ProblemError } from './problem.ts';

/**
 * The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a quoted string as the draft has it, or the bare
 * key as most clients write it. Undefined when there is none.
 * @throws ProblemError `clave-de-idempotencia-no-valida` unless it is 1 to 255 visible ASCII characters.
 */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header)?.[1];
  const key = quoted?.replace(/\\(.)/g, '$1') ?? header;
  // A bare key with a quote in it is a string that was cut; with a comma and a space, several headers.
  const bareQuote = quoted === undefined && key.includes('"');
  if (bareQuote || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ProblemError('clave-de-idempotencia-no-valida');
  }
  return key;
}
