import { bearerChallenge, ProblemError } from '../http/problem.ts';
import type { Scope } from './scopes.ts';

/** Returns 401 for a request without a token (RFC 6750, section 3). */
export function unauthenticated(): ProblemError {
  return new ProblemError('sin-autenticar');
}

/** Returns 401 for an invalid token. Only the log holds the reason: it would help to forge tokens. */
export function invalidToken(): ProblemError {
  return new ProblemError('token-no-valido', {
    headers: { 'www-authenticate': `${bearerChallenge}, error="invalid_token"` },
  });
}

/** Returns 403, naming the missing scope. */
export function missingScope(scope: Scope): ProblemError {
  return new ProblemError('falta-permiso', {
    values: { permiso: scope },
    headers: { 'www-authenticate': `${bearerChallenge}, error="insufficient_scope", scope="${scope}"` },
  });
}
