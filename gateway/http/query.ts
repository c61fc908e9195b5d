import { type BadParameter, BadQueryError } from './bad-query.ts';
import { queryOf } from './target.ts';

/**
 * Parses a target's query strictly. `URLSearchParams` silently alters `%zz` and bytes that are not UTF-8.
 * @throws BadQueryError naming every such parameter
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
