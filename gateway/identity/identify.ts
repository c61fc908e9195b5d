import type { Context, Middleware } from '../http/state.ts';
import { accessTo } from './access.ts';
import type { Authenticator, Verified } from './authenticator.ts';
import { missingScope, unauthenticated } from './challenge.ts';
import type { Scope } from './scopes.ts';

const nothing: ReadonlySet<Scope> = new Set();

export interface IdentifyOptions {
  readonly authenticator: Authenticator;
  /** Paths, without `/v1`, that ask for a token themselves. */
  readonly alsoOpen: readonly string[];
}

/**
 * Finds out who asks, and whether that one may use the path: the one place where a request is let in or not. Whose a
 * solicitud is, is seen where it is looked up. `OPTIONS` tells nothing that is not in the documents.
 */
export function identify({ authenticator, alsoOpen }: IdentifyOptions): Middleware {
  const openPaths = new Set(alsoOpen);

  function admit(ctx: Context, verified: Verified | undefined): void {
    ctx.state.caller = verified?.identity.id ?? '';
    ctx.state.scopes = verified?.identity.scopes ?? nothing;
    const access = accessTo(ctx.path, openPaths);
    if (access === 'open' || ctx.method === 'OPTIONS' || ctx.state.scopes.has(access)) return;
    throw verified === undefined ? unauthenticated() : missingScope(access);
  }

  return (ctx, next) => {
    const verified = authenticator.identify(ctx.req);
    if (verified instanceof Promise) {
      return verified.then((found) => {
        admit(ctx, found);
        return next();
      });
    }
    admit(ctx, verified);
    return next();
  };
}
