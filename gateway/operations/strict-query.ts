import * as z from 'zod';
import { type BadParameter, BadQueryError } from '../http/bad-query.ts';

/** Maximum length of a value, in bytes of UTF-8. */
const maxValueBytes = 8192;

/** Maximum number of errors reported, which bounds the answer's size. */
const maxErrors = 50;

type Values = NonNullable<BadParameter['valores']>;

/** Refuses the value that a schema is parsing, for one of the `motivos` of http/texts.ts. */
export function refuse(ctx: z.core.$RefinementCtx, motivo: string, valores: Values = {}): never {
  ctx.issues.push({ code: 'custom', input: ctx.value, params: { motivo, valores } });
  return z.NEVER;
}

/**
 * Validates a query string by a schema. Its fields take a string, or an array of strings when they are `repeatable`.
 * Unknown, repeated, overlong and malformed parameters are refused, all at once (the first 50).
 * @throws BadQueryError
 */
export function readStrictly<Schema extends z.ZodObject>(
  schema: Schema,
  query: URLSearchParams,
  repeatable: readonly string[],
): z.output<Schema> {
  const errores: BadParameter[] = [];
  const values = new Map<string, string | string[]>();
  for (const [name, given] of byName(query)) {
    const motivo = refusalOf(given, Object.hasOwn(schema.shape, name), repeatable.includes(name));
    if (motivo === undefined) values.set(name, repeatable.includes(name) ? given : (given[0] ?? ''));
    else errores.push({ parametro: name, ...motivo });
  }
  const result = schema.safeParse(Object.fromEntries(values));
  const all = [...errores, ...(result.error?.issues.map(badParameter) ?? [])];
  if (result.success && all.length === 0) return result.data;
  throw new BadQueryError(all.slice(0, maxErrors));
}

function refusalOf(
  given: readonly string[],
  known: boolean,
  repeatable: boolean,
): Omit<BadParameter, 'parametro'> | undefined {
  if (!known) return { motivo: 'parametro-desconocido' };
  if (given.length > 1 && !repeatable) return { motivo: 'parametro-repetido' };
  const tooLong = given.some((value) => Buffer.byteLength(value) > maxValueBytes);
  return tooLong ? { motivo: 'demasiado-largo', valores: { max: maxValueBytes } } : undefined;
}

function badParameter(issue: z.core.$ZodIssue): BadParameter {
  const parametro = String(issue.path[0] ?? '');
  if (issue.code !== 'custom') return { parametro, motivo: 'valor-no-valido' };
  const { motivo, valores } = issue.params as { motivo: string; valores: Values };
  return { parametro, motivo, valores };
}

/** Groups values in one pass; `getAll` would scan all of them for each name. */
function byName(query: URLSearchParams): ReadonlyMap<string, string[]> {
  const all = new Map<string, string[]>();
  for (const [name, value] of query) {
    const values = all.get(name);
    if (values === undefined) all.set(name, [value]);
    else values.push(value);
  }
  return all;
}
