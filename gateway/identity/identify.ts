import type { Context, Middleware } from '../http/state.ts';
import { type Access, accessTo } from './access.ts';
import type { Authenticator, Verified } from './authenticator.ts';
import { missingScope, unauthenticated } from './challenge.ts';
import type { Scope } from './scopes.ts';

const nothing: ReadonlySet<Scope> = new Set();

export interface IdentifyOptions {
  readonly authenticator: Authenticator;
  /** Paths, without `/v1`, that ask for a token themselves. */
  readonly alsoOpen: readonly string[];
  /** Told of every request that is not let in; what it throws is answered instead. */
  readonly onRefused?: ((ctx: Context) => Promise<void>) | undefined;
}

/**
 * Finds out who asks, and whether that one may use the path: the one place where a request is let in or not. Whose a
 * solicitud is, is seen where it is looked up. `OPTIONS` tells nothing that is not in the documents.
 */
export function identify({ authenticator, alsoOpen, onRefused }: IdentifyOptions): Middleware {
  const openPaths = new Set(alsoOpen);

  return (ctx, next) => {
    ctx.state.caller = '';
    ctx.state.scopes = nothing;
    ctx.state.identifiedUntil = Number.POSITIVE_INFINITY;
    const access = ctx.method === 'OPTIONS' ? 'open' : accessTo(ctx.path, openPaths);
    // A token that is no good any more does not shut out whoever wants a new one.
    if (access === 'open' && authenticator.verify !== undefined) return next();
    const refused = async (problem: unknown): Promise<never> => {
      await onRefused?.(ctx);
      throw problem;
    };
    try {
      const verified = authenticator.identify(ctx.req);
      if (!(verified instanceof Promise)) admit(ctx, verified, access);
      else return verified.then((found) => admit(ctx, found, access)).then(next, refused);
    } catch (problem) {
      return refused(problem);
    }
    return next();
  };
}

function admit(ctx: Context, verified: Verified | undefined, access: Access): void {
  if (verified !== undefined) {
    ctx.state.caller = verified.identity.id;
    ctx.state.scopes = verified.identity.scopes;
    ctx.state.identifiedUntil = verified.expiresAt;
  }
  if (access === 'open' || ctx.state.scopes.has(access)) return;
  throw verified === undefined ? unauthenticated() : missingScope(access);
}
