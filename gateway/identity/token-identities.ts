import Router from '@koa/router';
import type { JSONWebKeySet } from 'jose';
import type { Logger } from 'pino';
import type { State } from '../http/state.ts';
import type { LimitStore } from '../limits/store.ts';
import type { IdentityConfig } from './config.ts';
import { openKeys } from './keys.ts';
import { createLogin } from './login.ts';
import { createTokens } from './tokens.ts';
import { createVerifier } from './verifier.ts';

export interface TokenOptions {
  readonly config: Extract<IdentityConfig, { kind: 'jwt' }>;
  readonly store: () => Promise<LimitStore>;
  readonly log: Logger;
}

/** Opens authentication by tokens, with the routes that issue them when this gateway does. */
export async function openTokenIdentities({ config, store, log }: TokenOptions) {
  const { issuer, audience, scopePrefix, users, lifetimeMs } = config;
  const routes = new Router<State>();
  const keys = await openKeys(config.keys);
  const verify = createVerifier({ keys, issuer, audience, scopePrefix, log });
  const { sign, published } = keys;
  if (users !== undefined && sign !== undefined) {
    const tokens = { sign, issuer, audience, scopePrefix, lifetimeMs };
    routes.post('/login', createLogin({ users, ...tokens, store: await store(), log }));
  }
  if (published !== undefined) serveKeys(routes, published);
  return { authenticator: createTokens(verify), routes };
}

/** Serves the public keys as a JWK Set (RFC 7517). */
function serveKeys(routes: Router<State>, published: JSONWebKeySet): void {
  const body = JSON.stringify(published);
  routes.get('/.well-known/jwks.json', (ctx) => {
    ctx.set('Cache-Control', 'public, max-age=300');
    ctx.type = 'application/jwk-set+json';
    ctx.body = body;
  });
}
