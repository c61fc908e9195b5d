import { LRUCache } from 'lru-cache';
import type { Authenticator, Verified } from './authenticator.ts';
import { invalidToken } from './challenge.ts';

const mostRemembered = 10_000;

/**
 * Knows callers by the token that they bring. To verify one costs more than all the rest of a request that is answered from
 * the cache, so each is verified once, and remembered until it expires.
 */
export function createTokens(verify: (token: string) => Promise<Verified>): Authenticator {
  const known = new LRUCache<string, Verified>({ max: mostRemembered });

  function verified(token: string): Verified | Promise<Verified> {
    const remembered = known.get(token);
    if (remembered !== undefined && remembered.expiresAt > Date.now()) return remembered;
    known.delete(token);
    return verify(token).then((found) => {
      known.set(token, found);
      return found;
    });
  }

  return {
    identify: ({ headers: { authorization } }) =>
      authorization === undefined ? undefined : verified(tokenOf(authorization)),
    verify: verified,
  };
}

function tokenOf(authorization: string): string {
  const token = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw invalidToken();
  return token;
}
