import { validate as isUuid } from 'uuid';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';
import { hasScope } from '../identity/scopes.ts';
import type { Ledger, Solicitud } from './ledger.ts';

/**
 * Returns a solicitud of the caller, or of any caller with the scope `solicitudes:admin`. An unknown id and another
 * caller's id get the same answer.
 * @throws ProblemError `solicitud-no-encontrada`
 */
export async function findSolicitud(
  ctx: Context,
  id: string | undefined,
  ledger: Pick<Ledger, 'get'>,
): Promise<Solicitud> {
  const row = isUuid(id) ? await ledger.get(id as string) : undefined;
  if (row === undefined || (row.caller !== ctx.state.caller && !hasScope(ctx.state, 'solicitudes:admin'))) {
    throw new ProblemError('solicitud-no-encontrada');
  }
  return row;
}
