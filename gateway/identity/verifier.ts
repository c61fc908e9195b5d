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

/** Tolerance for clock differences. */
const toleranceSeconds = 5;
const maxTokenLength = 8 * 1024;

/**
 * Creates a token verifier (RFC 7519). It checks signature, `iss`, `aud`, `exp`, `nbf` and `iat`, and requires `sub` and
 * `exp`. Keys come from the configuration: the token's `jku`, `x5u` and `jwk` are ignored.
 *
 * @returns a function that rejects with ProblemError `token-no-valido`, `identidad-no-disponible`
 */
export function createVerifier(options: VerifierOptions): (token: string) => Promise<Verified> {
  const { keys, issuer, log } = options;
  const requirements = {
    algorithms: [...keys.algorithms],
    issuer,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: toleranceSeconds,
  };

  return async (token) => {
    if (token.length > maxTokenLength) {
      log.info({ why: 'too long' }, 'token refused; its caller is not admitted');
      throw invalidToken();
    }
    try {
      const { payload } = await jwtVerify(token, keys.verifying, requirements);
      return verifiedOf(payload, options);
    } catch (err) {
      if (err instanceof IssuerUnavailableError) {
        throw new ProblemError('identidad-no-disponible', { headers: { 'retry-after': '5' }, cause: err });
      }
      if (!(err instanceof errors.JOSEError)) throw err;
      // The log holds neither the token nor its claims.
      log.info({ why: `${err.code}: ${err.message}` }, 'token refused; its caller is not admitted');
      throw invalidToken();
    }
  };
}

function verifiedOf(payload: JWTPayload, options: VerifierOptions): Verified {
  const { sub, exp = 0, iat } = payload;
  if (typeof iat === 'number' && iat > Date.now() / 1000 + toleranceSeconds)
    throw invalidClaim('iat', payload);
  if (!isFor(payload, options.audience)) throw invalidClaim('aud', payload);
  // `sub` is written to logs and to the ledger.
  if (typeof sub !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,255}$/u.test(sub) || sub === anonymous) {
    throw invalidClaim('sub', payload);
  }
  const scopes = scopesOf(payload, options.scopePrefix);
  return { identity: { id: sub, scopes }, expiresAt: (exp + toleranceSeconds) * 1000 };
}

function invalidClaim(claim: string, payload: JWTPayload): errors.JWTClaimValidationFailed {
  return new errors.JWTClaimValidationFailed(`unexpected "${claim}" claim value`, payload, claim);
}

/** Returns whether the token is meant for this gateway. Cognito's access tokens carry `client_id` instead of `aud`. */
function isFor({ aud, ['client_id']: client }: JWTPayload, audience: readonly string[]): boolean {
  return [aud ?? client].flat().some((one) => typeof one === 'string' && audience.includes(one));
}

/** Reads the scopes from `scope` (RFC 8693), `scp` (Entra, Okta) or `permissions` (Auth0). */
function scopesOf(payload: JWTPayload, prefix: string): ReadonlySet<Scope> {
  const words = [payload['scope'], payload['scp'], payload['permissions']]
    .flat()
    .flatMap((claim) => (typeof claim === 'string' ? claim.split(' ') : []));
  const known = words.filter((word) => word.startsWith(prefix)).map((word) => word.slice(prefix.length));
  return new Set(known.filter(isScope));
}
