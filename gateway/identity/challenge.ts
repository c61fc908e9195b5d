import { ProblemError } from '../http/problem.ts';
import type { Scope } from './scopes.ts';

const scheme = 'Bearer realm="archivero"';

/** 401 for a request without a token (RFC 6750, section 3). */
export function unauthenticated(): ProblemError {
  return new ProblemError('sin-autenticar', { headers: { 'www-authenticate': scheme } });
}

/** 401 for a token that cannot be used. Why is for the log: whoever forges one need not learn it. */
export function invalidToken(): ProblemError {
  return new ProblemError('token-no-valido', {
    headers: { 'www-authenticate': `${scheme}, error="invalid_token"` },
  });
}

/** 403, with the scope that is missing. */
export function missingScope(scope: Scope): ProblemError {
  return new ProblemError('falta-permiso', {
    values: { permiso: scope },
    headers: { 'www-authenticate': `${scheme}, error="insufficient_scope", scope="${scope}"` },
  });
}
