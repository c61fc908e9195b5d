import Router from '@koa/router';
import type { State } from '../http/state.ts';
import { createAnonymous } from './anonymous.ts';
import type { Authenticator } from './authenticator.ts';
import type { IdentityConfig } from './config.ts';
import type { TokenOptions } from './token-identities.ts';

export interface IdentityOptions extends Omit<TokenOptions, 'config'> {
  readonly config: IdentityConfig;
  /** Whether only this machine can reach the gateway. */
  readonly onLoopback: boolean;
}

/** The identity subsystem, as configured. */
export interface Identities {
  readonly authenticator: Authenticator;
  /** `/login` and `/.well-known/jwks.json`, when enabled. */
  readonly routes: Router<State>;
}

export async function openIdentities({ config, onLoopback, ...deps }: IdentityOptions): Promise<Identities> {
  if (config.kind === 'none') {
    return { authenticator: createAnonymous({ onLoopback }), routes: new Router<State>() };
  }
  // Loaded only when tokens are configured.
  const { openTokenIdentities } = await import('./token-identities.ts');
  return openTokenIdentities({ config, ...deps });
}
