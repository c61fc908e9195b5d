import { type BadParameter, BadQueryError } from '../http/bad-query.ts';
import { flawOf } from '../http/json-text.ts';
import { ProblemError } from '../http/problem.ts';

/**
 * A query as it comes over a WebSocket: the parameters of the operation's GET, each a string, a number, a boolean or, when
 * it may be repeated, an array of those; and, if the client likes, `numero`, which the answer repeats.
 */
export type QueryMessage = Readonly<Record<string, unknown>>;

const largestNumero = 2 ** 32 - 1;
/** An object, and arrays in it; deeper ones are told by name. */
const maxDepth = 8;

/** @throws ProblemError `mensaje-no-valido` when it is no JSON object, or one that readers disagree about */
export function parseMessage(text: string): QueryMessage {
  const message = jsonOf(text);
  const isObject = typeof message === 'object' && message !== null && !Array.isArray(message);
  if (!isObject || flawOf(text, maxDepth) !== undefined) {
    throw new ProblemError('mensaje-no-valido');
  }
  return message as QueryMessage;
}

/** The client's number for its query, if it gave a usable one. */
export function numeroOf({ numero }: QueryMessage): number | undefined {
  const usable =
    typeof numero === 'number' && Number.isInteger(numero) && numero >= 0 && numero <= largestNumero;
  return usable ? numero : undefined;
}

/** @throws BadQueryError */
export function queryOf(message: QueryMessage): URLSearchParams {
  const { numero, ...parameters } = message;
  const query = new URLSearchParams();
  const errores: BadParameter[] = [];
  if (numero !== undefined && numeroOf(message) === undefined) {
    errores.push({ parametro: 'numero', motivo: 'entero-entre', valores: { min: 0, max: largestNumero } });
  }
  for (const [parametro, value] of Object.entries(parameters)) {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    // An answer over a WebSocket has one form.
    if (parametro === 'formato') errores.push({ parametro, motivo: 'parametro-desconocido' });
    else if (!values.every(isPlain)) errores.push({ parametro, motivo: 'valor-no-valido' });
    else for (const each of values) query.append(parametro, String(each));
  }
  if (errores.length > 0) throw new BadQueryError(errores);
  return query;
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
