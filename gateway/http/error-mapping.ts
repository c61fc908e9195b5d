import Koa from 'koa';
import { BadQueryError } from './bad-query.ts';
import { type PlainSlug, ProblemError } from './problem.ts';

/** Problem types of the HTTP errors that Koa and its middlewares throw. */
const slugOfHttpStatus: Readonly<Record<number, PlainSlug>> = {
  401: 'sin-autenticar',
  403: 'permiso-denegado',
  404: 'ruta-no-encontrada',
  408: 'peticion-lenta',
  413: 'cuerpo-demasiado-grande',
  415: 'tipo-no-admitido',
  429: 'recursos-agotados',
  431: 'cabeceras-demasiado-grandes',
};

/** Maps an error to a problem; undefined for an error that is not of the protocol, such as a bug. */
export function problemOfThrown(thrown: unknown): ProblemError | undefined {
  if (thrown instanceof ProblemError) return thrown;
  if (thrown instanceof BadQueryError)
    return new ProblemError('parametros-no-validos', { errores: thrown.errores });
  if (thrown instanceof Koa.HttpError && thrown.status >= 400 && thrown.status < 500) {
    return new ProblemError(slugOfHttpStatus[thrown.status] ?? 'peticion-no-valida');
  }
  return undefined;
}
