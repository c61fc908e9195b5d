import { ProblemError } from './problem.ts';

/** A string with parameters, which are ignored (RFC 9651, sections 3.1.2 and 3.3.3). */
const string = String.raw`"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"`;
const parameter = String.raw`; *[a-z*][\w.*-]*(?:=(?:${string.replace('((', '(?:(')}|[^\s";,]+))?`;
const item = new RegExp(`^ *${string} *(?:${parameter} *)*$`);

/**
 * Parses `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a structured-field string as in the draft, or a bare
 * key as most clients send. Returns undefined when it is absent.
 * @throws ProblemError `clave-de-idempotencia-no-valida` unless it is 1 to 255 ASCII characters, without spaces when bare
 */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  const quoted = item.exec(header)?.[1]?.replace(/\\(.)/g, '$1');
  // A quote in a bare key means a truncated string; a comma with a space means several headers.
  const key = quoted ?? (/^[\x21\x23-\x7e]*$/.test(header) ? header : '');
  if (key === '' || key.length > 255) throw new ProblemError('clave-de-idempotencia-no-valida');
  return key;
}
