import { type BadParameter, BadQueryError } from '../http/bad-query.ts';
import { findJsonFlaw } from '../http/json-text.ts';
import { ProblemError } from '../http/problem.ts';

/**
 * A query over a WebSocket. Its members are the parameters of the operation's GET: a string, number or boolean each, or an
 * array of those for a repeatable parameter. The optional `numero` is repeated in the answer.
 */
export type QueryMessage = Readonly<Record<string, unknown>>;

const maxNumero = 2 ** 32 - 1;
/** An object with arrays needs a depth of 2; this leaves deeper values to the error of their parameter. */
const maxDepth = 8;

/** @throws ProblemError `mensaje-no-valido` unless it is a JSON object that every parser reads alike */
export function parseMessage(text: string): QueryMessage {
  const message = jsonOf(text);
  const isObject = typeof message === 'object' && message !== null && !Array.isArray(message);
  if (!isObject || findJsonFlaw(text, maxDepth) !== undefined) {
    throw new ProblemError('mensaje-no-valido');
  }
  return message as QueryMessage;
}

/** Returns the client's number for its query; undefined when it is missing or invalid. */
export function numeroOf({ numero }: QueryMessage): number | undefined {
  const usable = typeof numero === 'number' && Number.isInteger(numero) && numero >= 0 && numero <= maxNumero;
  return usable ? numero : undefined;
}

/** @throws BadQueryError */
export function queryOfMessage(message: QueryMessage): URLSearchParams {
  const { numero, ...parameters } = message;
  const query = new URLSearchParams();
  const errores: BadParameter[] = [];
  if (numero !== undefined && numeroOf(message) === undefined) {
    errores.push({ parametro: 'numero', motivo: 'entero-entre', valores: { min: 0, max: maxNumero } });
  }
  for (const [parametro, value] of Object.entries(parameters)) {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    // Answers over a WebSocket have only one representation.
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
