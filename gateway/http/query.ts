import { type BadParameter, BadQueryError } from './bad-query.ts';
import { queryOf } from './target.ts';

/**
 * The query of a target as the client meant it. `URLSearchParams` takes `%zz` and bytes that are no UTF-8 for something
 * else without a word; here they are a `BadQueryError` that names every such parameter.
 */
export function readQuery(target: string): URLSearchParams {
  const query = new URLSearchParams();
  const errores: BadParameter[] = [];
  for (const pair of queryOf(target).split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = equals === -1 ? pair : pair.slice(0, equals);
    const value = equals === -1 ? '' : pair.slice(equals + 1);
    try {
      query.append(decode(name), decode(value));
    } catch {
      errores.push({ parametro: name, motivo: 'codificacion-no-valida' });
    }
  }
  if (errores.length > 0) throw new BadQueryError(errores);
  return query;
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
