import Router from '@koa/router';
import type { JSONWebKeySet } from 'jose';
import type { Logger } from 'pino';
import type { State } from '../http/state.ts';
import type { LimitStore } from '../limits/store.ts';
import { createAnonymous } from './anonymous.ts';
import type { Authenticator } from './authenticator.ts';
import type { IdentityConfig } from './config.ts';
import { openKeys } from './keys.ts';
import { createLogin } from './login.ts';
import { createTokens } from './tokens.ts';
import { createVerifier } from './verifier.ts';

export interface IdentityOptions {
  readonly config: IdentityConfig;
  /** Whether only this machine can reach the gateway. */
  readonly onLoopback: boolean;
  readonly store: LimitStore;
  readonly log: Logger;
}

/** All there is to identity, as the configuration wants it. */
export interface Identities {
  readonly authenticator: Authenticator;
  /** `/login` and `/.well-known/jwks.json`, where there are such. */
  readonly routes: Router<State>;
}

export async function openIdentities({
  config,
  onLoopback,
  store,
  log,
}: IdentityOptions): Promise<Identities> {
  const routes = new Router<State>();
  if (config.kind === 'none') return { authenticator: createAnonymous({ onLoopback }), routes };

  const { issuer, audience, scopePrefix, users, lifetimeMs } = config;
  const keys = await openKeys(config.keys);
  const verify = createVerifier({ keys, issuer, audience, scopePrefix, log });
  if (users !== undefined && keys.sign !== undefined) {
    const login = createLogin({
      users,
      sign: keys.sign,
      issuer,
      audience,
      scopePrefix,
      lifetimeMs,
      store,
      log,
    });
    routes.post('/login', login);
  }
  if (keys.published !== undefined) serveKeys(routes, keys.published);
  return { authenticator: createTokens(verify), routes };
}

/** RFC 7517. */
function serveKeys(routes: Router<State>, published: JSONWebKeySet): void {
  const body = JSON.stringify(published);
  routes.get('/.well-known/jwks.json', (ctx) => {
    ctx.set('Cache-Control', 'public, max-age=300');
    ctx.type = 'application/jwk-set+json';
    ctx.body = body;
  });
}
