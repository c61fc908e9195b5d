import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

export { RateLimiterRes };

/** A quota: points per key in a period. */
export interface Allowance {
  /** Separates the keys of this limiter from those of others. */
  readonly name: string;
  readonly points: number;
  readonly seconds: number;
}

/** Counters of spent points. `consume` rejects with a `RateLimiterRes` when the quota is exceeded. */
export type Limiter = Pick<RateLimiterAbstract, 'consume' | 'get' | 'delete' | 'points'>;

/** The store of spent points. */
export interface LimitStore {
  limiter(allowance: Allowance): Limiter;
  stop(): Promise<void>;
}

/** Creates a store in memory: each gateway counts by itself, and a restart resets the counters. */
export function createMemoryStore(): LimitStore {
  return {
    limiter: ({ name, points, seconds }) =>
      new RateLimiterMemory({ keyPrefix: name, points, duration: seconds }),
    stop: async () => undefined,
  };
}
