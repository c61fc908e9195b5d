import { parse as parseContentType } from 'content-type';
import getRawBody, { type RawBodyError } from 'raw-body';
import type * as z from 'zod';
import { BadQueryError } from './bad-query.ts';
import { parseExactly } from './exact-json.ts';
import { findJsonFlaw, type JsonFlaw } from './json-text.ts';
import { ProblemError } from './problem.ts';
import type { Context } from './state.ts';

/** Maximum depth of JSON. Written by hand no text is deeper, and recursive code can process it. */
export const maxDepth = 32;

type Motivo = JsonFlaw | 'json-no-valido' | 'utf8-no-valido' | 'no-es-objeto';

/**
 * Reads a request body: one JSON object (RFC 8259) in UTF-8 that matches the schema, uncompressed, of at most `maxBytes`.
 * Unknown members and duplicate names are refused.
 * @throws ProblemError 415 for another media type or a content coding, 413 beyond `maxBytes`, 400 for invalid JSON
 * @throws BadQueryError for missing, unknown or invalid members
 */
export async function readJsonBody<Schema extends z.ZodObject>(
  ctx: Context,
  schema: Schema,
  maxBytes: number,
): Promise<z.output<Schema>> {
  refuseOtherTypes(ctx);
  return validate(await readBytes(ctx, maxBytes), schema);
}

/**
 * Reads a body that may be left out, which counts as `{}`. Its framing does not matter: some proxies and clients send no
 * body in chunks, and without a type.
 * @throws ProblemError, BadQueryError as `readJsonBody` does
 */
export async function readOptionalJsonBody<Schema extends z.ZodObject>(
  ctx: Context,
  schema: Schema,
  maxBytes: number,
): Promise<z.output<Schema>> {
  const bytes = await readBytes(ctx, maxBytes);
  if (bytes.length === 0) return validate(Buffer.from('{}'), schema);
  refuseOtherTypes(ctx);
  return validate(bytes, schema);
}

function validate<Schema extends z.ZodObject>(bytes: Buffer, schema: Schema): z.output<Schema> {
  const value = parse(bytes);
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(schema.shape, name));
  const read = schema.safeParse(value, { reportInput: true });
  if (read.success && unknown.length === 0) return read.data;
  throw new BadQueryError([
    ...unknown.map((parametro) => ({ parametro, motivo: 'parametro-desconocido' })),
    ...(read.error?.issues ?? []).map((issue) => ({ parametro: issue.path.join('.'), ...reasonOf(issue) })),
  ]);
}

function refuseOtherTypes(ctx: Context): void {
  const coding = ctx.get('content-encoding').trim().toLowerCase();
  // Compressed bodies, such as gzip bombs, are refused with the header that says so (RFC 9110, section 12.5.3).
  if (coding !== '' && coding !== 'identity') {
    throw new ProblemError('tipo-no-admitido', { headers: { 'accept-encoding': 'identity' } });
  }
  const { type, parameters } = parseContentType(ctx.get('content-type'));
  const { charset = 'utf-8' } = parameters;
  const isUtf8 = /^utf-?8$/i.test(charset);
  if (type !== 'application/json' || !isUtf8) {
    throw new ProblemError('tipo-no-admitido', { headers: { accept: 'application/json' } });
  }
}

async function readBytes({ req, res }: Context, maxBytes: number): Promise<Buffer> {
  // Thrown before a byte is read, where possible. The connection closes, because the rest of the body stays unread.
  const tooLarge = () => new ProblemError('cuerpo-demasiado-grande', { headers: { connection: 'close' } });
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  if (req.headers.expect !== undefined && req.httpVersion === '1.1') res.writeContinue();
  try {
    return await getRawBody(req, { limit: maxBytes });
  } catch (error) {
    if ((error as RawBodyError).type === 'entity.too.large') throw tooLarge();
    // The client disconnected in the middle of the body. It gets no answer, but the route must end.
    throw new ProblemError('peticion-no-valida');
  }
}

function parse(bytes: Buffer): object {
  const text = decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badBody('json-no-valido');
  }
  const flaw = findJsonFlaw(text, maxDepth);
  if (flaw !== undefined) throw badBody(flaw);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badBody('no-es-objeto');
  return parseExactly(text) as object;
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badBody('utf8-no-valido');
  }
}

function badBody(motivo: Motivo): ProblemError {
  const valores = { max: maxDepth };
  return new ProblemError('cuerpo-no-valido', { errores: [{ parametro: 'cuerpo', motivo, valores }] });
}

function reasonOf(issue: z.core.$ZodIssue) {
  if (issue.code === 'custom' && issue.params !== undefined) {
    const { motivo, valores } = issue.params as { motivo: string; valores?: Record<string, string | number> };
    return { motivo, ...(valores && { valores }) };
  }
  return { motivo: issue.input === undefined ? 'falta' : 'valor-no-valido' };
}
