import { LRUCache } from 'lru-cache';
import type { Authenticator, Verified } from './authenticator.ts';
import { invalidToken } from './challenge.ts';

const maxTokens = 10_000;

interface Remembered {
  readonly verified: Verified;
  readonly until: number;
}

/**
 * Authenticates callers by Bearer token. Verifying a token costs more than the rest of a cached answer, so its result is
 * kept until the token expires, but for `maxAgeMs` at most: the issuer may have removed its key since.
 */
export function createTokens(
  verify: (token: string) => Promise<Verified>,
  maxAgeMs = 5 * 60_000,
): Authenticator {
  const known = new LRUCache<string, Remembered>({ max: maxTokens });

  function verified(token: string): Verified | Promise<Verified> {
    const remembered = known.get(token);
    if (remembered !== undefined && remembered.until > Date.now()) return remembered.verified;
    known.delete(token);
    return verify(token).then((found) => {
      known.set(token, { verified: found, until: Math.min(found.expiresAt, Date.now() + maxAgeMs) });
      return found;
    });
  }

  return {
    // Credentials of another scheme, such as Basic, count as none: they are no invalid token (RFC 6750, section 3.1).
    identify: ({ headers: { authorization } }) =>
      authorization === undefined || !/^Bearer(?: |$)/i.test(authorization)
        ? undefined
        : verified(tokenOf(authorization)),
    verify: verified,
  };
}

function tokenOf(authorization: string): string {
  const token = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw invalidToken();
  return token;
}
