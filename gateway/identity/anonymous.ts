import type { IncomingMessage } from 'node:http';
import { anonymous } from '../http/state.ts';
import type { Authenticator, Verified } from './authenticator.ts';
import { type Scope, scopes } from './scopes.ts';

const proxied = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];

/**
 * Creates the authenticator of `AUTH=none`: the caller is always `anonimo`. On the loopback it has every scope, unless
 * the request came through a proxy. Everywhere else it may only read.
 */
export function createAnonymous({ onLoopback }: { readonly onLoopback: boolean }): Authenticator {
  const allScopes = verified(scopes);
  const readOnly = verified(['archivos:leer']);
  return {
    identify: ({ headers }: IncomingMessage) =>
      onLoopback && !proxied.some((name) => name in headers) ? allScopes : readOnly,
    verify: undefined,
  };
}

function verified(granted: readonly Scope[]): Verified {
  return {
    identity: { id: anonymous, scopes: new Set(granted) },
    expiresAt: Number.POSITIVE_INFINITY,
  };
}
