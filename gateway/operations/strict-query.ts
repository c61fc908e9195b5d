import * as z from 'zod';
import { type BadParameter, BadQueryError } from '../http/bad-query.ts';

/** No value of any parameter may be longer, in bytes of UTF-8. */
const longest = 8192;

/** Nobody corrects more at once, and the answer stays small whatever is sent. */
const mostErrors = 50;

type Values = NonNullable<BadParameter['valores']>;

/** Refuses the value that a schema is reading, for one of the `motivos` of the texts. */
export function refuse(ctx: z.core.$RefinementCtx, motivo: string, valores: Values = {}): never {
  ctx.issues.push({ code: 'custom', input: ctx.value, params: { motivo, valores } });
  return z.NEVER;
}

/**
 * Reads a query string by a schema whose fields take a string, or an array of strings when they are `repeatable`. Nothing
 * is guessed or ignored: unknown, repeated, overlong and malformed parameters are refused, all of them at once (the first 50).
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
  throw new BadQueryError(all.slice(0, mostErrors));
}

function refusalOf(
  given: readonly string[],
  known: boolean,
  repeatable: boolean,
): Omit<BadParameter, 'parametro'> | undefined {
  if (!known) return { motivo: 'parametro-desconocido' };
  if (given.length > 1 && !repeatable) return { motivo: 'parametro-repetido' };
  const tooLong = given.some((value) => Buffer.byteLength(value) > longest);
  return tooLong ? { motivo: 'demasiado-largo', valores: { max: longest } } : undefined;
}

function badParameter(issue: z.core.$ZodIssue): BadParameter {
  const parametro = String(issue.path[0] ?? '');
  if (issue.code !== 'custom') return { parametro, motivo: 'valor-no-valido' };
  const { motivo, valores } = issue.params as { motivo: string; valores: Values };
  return { parametro, motivo, valores };
}

/** In one pass: `getAll` looks through all of them, for each name anew. */
function byName(query: URLSearchParams): ReadonlyMap<string, string[]> {
  const all = new Map<string, string[]>();
  for (const [name, value] of query) {
    const values = all.get(name);
    if (values === undefined) all.set(name, [value]);
    else values.push(value);
  }
  return all;
}
