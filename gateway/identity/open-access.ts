import type { BlockList } from 'node:net';
import type { Logger } from 'pino';
import type { Part } from '../../runtime/lifecycle.ts';
import { openLimits } from '../limits/limits.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import type { Allowance } from '../limits/store.ts';
import type { IdentityConfig } from './config.ts';
import { type Identities, openIdentities } from './identities.ts';

export interface AccessOptions {
  readonly identity: IdentityConfig;
  /** Whether only this machine can reach the gateway. */
  readonly onLoopback: boolean;
  readonly ipAllow: BlockList | undefined;
  readonly ipDeny: BlockList | undefined;
  readonly maxRequests: number;
  readonly allowances: readonly Allowance[];
  readonly costs: ReadonlyMap<string, number>;
  /** The database in which gateways count together; without it each counts for itself. */
  readonly database: string | undefined;
  readonly log: Logger;
}

/** The parts that decide whether a request is admitted: addresses, concurrency, identity, rate limit. */
export interface Access extends Identities {
  readonly ipAllow: BlockList | undefined;
  readonly ipDeny: BlockList | undefined;
  /** Requests in flight; more are refused. */
  readonly maxRequests: number;
  readonly rateLimit: RateLimit | undefined;
  readonly parts: readonly Part[];
}

/** Opens what the configuration asks for; the rest is not loaded. */
export async function openAccess(options: AccessOptions): Promise<Access> {
  const { identity, onLoopback, ipAllow, ipDeny, maxRequests, log } = options;
  const limits = await openLimits(options);
  const identities = await openIdentities({ config: identity, onLoopback, store: limits.store, log });
  return {
    ...identities,
    ipAllow,
    ipDeny,
    maxRequests,
    rateLimit: limits.rateLimit,
    parts: [{ name: 'limits', start: async () => undefined, stop: () => limits.stop() }],
  };
}
