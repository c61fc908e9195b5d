import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Logger } from 'pino';
import { ProblemError } from '../http/problem.ts';
import { anonymous } from '../http/state.ts';
import type { Verified } from './authenticator.ts';
import { invalidToken } from './challenge.ts';
import { IssuerUnavailableError, type Keys } from './keys.ts';
import { isScope, type Scope } from './scopes.ts';

export interface VerifierOptions {
  readonly keys: Pick<Keys, 'algorithms' | 'verifying'>;
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly scopePrefix: string;
  readonly log: Logger;
}

/** Clocks differ. */
const toleranceSeconds = 5;
const longestToken = 8 * 1024;

/**
 * Verifies tokens (RFC 7519): signature, `iss`, `aud`, `exp`, `nbf`, `iat`; they must have `sub` and `exp`. Keys are ours,
 * whatever a token names (`jku`, `x5u`, `jwk`).
 *
 * @returns what rejects with ProblemError `token-no-valido`, `identidad-no-disponible`
 */
export function createVerifier(options: VerifierOptions): (token: string) => Promise<Verified> {
  const { keys, issuer, log } = options;
  const demands = {
    algorithms: [...keys.algorithms],
    issuer,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: toleranceSeconds,
  };

  return async (token) => {
    if (token.length > longestToken) {
      log.info({ why: 'too long' }, 'token refused');
      throw invalidToken();
    }
    try {
      const { payload } = await jwtVerify(token, keys.verifying, demands);
      return verifiedOf(payload, options);
    } catch (err) {
      if (err instanceof IssuerUnavailableError) {
        throw new ProblemError('identidad-no-disponible', { headers: { 'retry-after': '5' }, cause: err });
      }
      if (!(err instanceof errors.JOSEError)) throw err;
      // Neither the token nor what it claims.
      log.info({ why: `${err.code}: ${err.message}` }, 'token refused');
      throw invalidToken();
    }
  };
}

function verifiedOf(payload: JWTPayload, options: VerifierOptions): Verified {
  const { sub, exp = 0, iat } = payload;
  if (typeof iat === 'number' && iat > Date.now() / 1000 + toleranceSeconds) throw wrong('iat', payload);
  if (!isFor(payload, options.audience)) throw wrong('aud', payload);
  // It is written in logs and in the ledger.
  if (typeof sub !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,255}$/u.test(sub) || sub === anonymous) {
    throw wrong('sub', payload);
  }
  const scopes = scopesOf(payload, options.scopePrefix);
  return { identity: { id: sub, scopes }, expiresAt: (exp + toleranceSeconds) * 1000 };
}

function wrong(claim: string, payload: JWTPayload): errors.JWTClaimValidationFailed {
  return new errors.JWTClaimValidationFailed(`unexpected "${claim}" claim value`, payload, claim);
}

/** Cognito's access tokens have no `aud`, but the client they were given to. */
function isFor({ aud, ['client_id']: client }: JWTPayload, audience: readonly string[]): boolean {
  return [aud ?? client].flat().some((one) => typeof one === 'string' && audience.includes(one));
}

/** `scope` as RFC 8693 has it; others write `scp` (Entra, Okta) or `permissions` (Auth0). */
function scopesOf(payload: JWTPayload, prefix: string): ReadonlySet<Scope> {
  const words = [payload['scope'], payload['scp'], payload['permissions']]
    .flat()
    .flatMap((claim) => (typeof claim === 'string' ? claim.split(' ') : []));
  const ours = words.filter((word) => word.startsWith(prefix)).map((word) => word.slice(prefix.length));
  return new Set(ours.filter(isScope));
}
