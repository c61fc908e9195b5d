import type { BlockList } from 'node:net';
import Router from '@koa/router';
import type { Part } from '../../runtime/lifecycle.ts';
import type { State } from '../http/state.ts';
import { type LimitsOptions, openLimits } from '../limits/limits.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import { createAnonymous } from './anonymous.ts';
import type { Authenticator } from './authenticator.ts';
import type { IdentityConfig } from './config.ts';

export interface AccessOptions extends LimitsOptions {
  readonly identity: IdentityConfig;
  /** Whether only this machine can reach the gateway. */
  readonly onLoopback: boolean;
  readonly ipAllow: BlockList | undefined;
  readonly ipDeny: BlockList | undefined;
  /** Requests in flight; more are refused. */
  readonly maxRequests: number;
}

/** The parts that decide whether a request is admitted: addresses, concurrency, identity, rate limit. */
export interface Access extends Pick<AccessOptions, 'ipAllow' | 'ipDeny' | 'maxRequests'> {
  readonly authenticator: Authenticator;
  /** `/login` and `/.well-known/jwks.json`, when enabled. */
  readonly routes: Router<State>;
  readonly rateLimit: RateLimit | undefined;
  readonly parts: readonly Part[];
}

/** Opens what the configuration asks for; the rest is not loaded. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { identity, onLoopback, ipAllow, ipDeny, maxRequests, log } = options;
  const { rateLimit, store, stop } = await openLimits(options);
  const identities =
    identity.kind === 'none'
      ? { authenticator: createAnonymous({ onLoopback }), routes: new Router<State>() }
      : await (await import('./token-identities.ts')).openTokenIdentities({ config: identity, store, log });
  return {
    ...identities,
    ipAllow,
    ipDeny,
    maxRequests,
    rateLimit,
    parts: [{ name: 'limits', start: async () => undefined, stop }],
  };
}
