import type { IncomingMessage } from 'node:http';
import { anonymous } from '../http/state.ts';
import type { Authenticator, Verified } from './authenticator.ts';
import { type Scope, scopes } from './scopes.ts';

const proxied = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'];

/**
 * `AUTH=none`: everybody is `anonimo`. On the loopback that is whoever sits at this machine, who may do everything; but
 * not what a proxy on this machine lets in from elsewhere. Anybody else may only read.
 */
export function createAnonymous({ onLoopback }: { readonly onLoopback: boolean }): Authenticator {
  const everything = verified(scopes);
  const reading = verified(['archivos:leer']);
  return {
    identify: ({ headers }: IncomingMessage) =>
      onLoopback && !proxied.some((name) => name in headers) ? everything : reading,
    verify: undefined,
  };
}

function verified(granted: readonly Scope[]): Verified {
  return {
    identity: { id: anonymous, scopes: new Set(granted) },
    expiresAt: Number.POSITIVE_INFINITY,
  };
}
