import { ProblemError } from './problem.ts';

/**
 * Parses `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a quoted string as in the draft, or a bare key as
 * most clients send. Returns undefined when it is absent.
 * @throws ProblemError `clave-de-idempotencia-no-valida` unless it is 1 to 255 visible ASCII characters.
 */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header)?.[1];
  const key = quoted?.replace(/\\(.)/g, '$1') ?? header;
  // A quote in a bare key means a truncated string; a comma with a space means several headers.
  const bareQuote = quoted === undefined && key.includes('"');
  if (bareQuote || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ProblemError('clave-de-idempotencia-no-valida');
  }
  return key;
}
