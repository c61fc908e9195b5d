import { ProblemError } from '../http/problem.ts';
import { LedgerFullError, LedgerUnavailableError } from './ledger.ts';

/** Maps the errors of the ledger to problems; undefined for all others. `Retry-After` is a constant: the duration is unknown. */
export function problemOfLedgerError(thrown: unknown): ProblemError | undefined {
  const options = { headers: { 'retry-after': '5' }, cause: thrown };
  if (thrown instanceof LedgerFullError) return new ProblemError('registro-lleno', options);
  if (thrown instanceof LedgerUnavailableError) return new ProblemError('registro-no-disponible', options);
  return undefined;
}
