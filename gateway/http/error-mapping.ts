import Koa from 'koa';
import { NoPlaceError } from '../limits/per-caller-limit.ts';
import { BadQueryError } from '../operations/operation.ts';
import { LedgerFullError, LedgerUnavailableError } from '../solicitudes/ledger.ts';
import { type PlainSlug, ProblemError } from './problem.ts';

/** The types of problem of the HTTP errors that Koa and its middlewares throw. */
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

/** In seconds. Nobody knows for how long a ledger will be full or failing, or others will wait. */
const retryLater = { headers: { 'retry-after': '5' } };

/** What a route threw, as a problem; undefined when it was not meant to be thrown: a bug. */
export function problemOfThrown(thrown: unknown): ProblemError | undefined {
  if (thrown instanceof ProblemError) return thrown;
  if (thrown instanceof BadQueryError)
    return new ProblemError('parametros-no-validos', { errores: thrown.errores });
  if (thrown instanceof LedgerFullError)
    return new ProblemError('registro-lleno', { ...retryLater, cause: thrown });
  if (thrown instanceof LedgerUnavailableError) {
    return new ProblemError('registro-no-disponible', { ...retryLater, cause: thrown });
  }
  if (thrown instanceof NoPlaceError) {
    if (!thrown.own) return new ProblemError('demasiadas-esperas', retryLater);
    return new ProblemError('demasiadas-peticiones', { values: { segundos: 5 }, ...retryLater });
  }
  if (thrown instanceof Koa.HttpError && thrown.status >= 400 && thrown.status < 500) {
    return new ProblemError(slugOfHttpStatus[thrown.status] ?? 'peticion-no-valida');
  }
  return undefined;
}
