import type { Context, Middleware } from '../http/state.ts';
import { accessTo, type RequiredAccess } from './access.ts';
import type { Authenticator, Verified } from './authenticator.ts';
import { missingScope, unauthenticated } from './challenge.ts';
import type { Scope } from './scopes.ts';

const noScopes: ReadonlySet<Scope> = new Set();

export interface IdentifyOptions {
  readonly authenticator: Authenticator;
  /** Paths, without `/v1`, whose routes authenticate by themselves. */
  readonly alsoOpen: readonly string[];
  /** Called for every refused request. An error that it throws replaces the refusal. */
  readonly onRefused?: ((ctx: Context) => Promise<void>) | undefined;
}

/**
 * Authenticates the caller and authorises the path. Every request is admitted or refused here; who owns a solicitud is
 * checked where it is looked up. `OPTIONS` is open: it reveals only what the API documents say.
 */
export function identify({ authenticator, alsoOpen, onRefused }: IdentifyOptions): Middleware {
  const openPaths = new Set(alsoOpen);

  return (ctx, next) => {
    ctx.state.caller = '';
    ctx.state.scopes = noScopes;
    ctx.state.identifiedUntil = Number.POSITIVE_INFINITY;
    const access = ctx.method === 'OPTIONS' ? 'open' : accessTo(ctx.path, openPaths);
    // An open path ignores the token, so that an expired one does not block the login for a new one.
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

function admit(ctx: Context, verified: Verified | undefined, access: RequiredAccess): void {
  if (verified !== undefined) {
    ctx.state.caller = verified.identity.id;
    ctx.state.scopes = verified.identity.scopes;
    ctx.state.identifiedUntil = verified.expiresAt;
  }
  if (access === 'open' || ctx.state.scopes.has(access)) return;
  throw verified === undefined ? unauthenticated() : missingScope(access);
}
