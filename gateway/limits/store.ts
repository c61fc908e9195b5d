import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

export { RateLimiterRes };

/** So many points in so many seconds, for each key. */
export interface Allowance {
  /** Of this limiter's keys, apart from those of the others. */
  readonly name: string;
  readonly points: number;
  readonly seconds: number;
}

/** What has been used up. `consume` rejects with a `RateLimiterRes` past the allowance. */
export type Limiter = Pick<RateLimiterAbstract, 'consume' | 'get' | 'delete' | 'points'>;

/** Where it is written down what callers have used up. */
export interface LimitStore {
  limiter(allowance: Allowance): Limiter;
  stop(): Promise<void>;
}

/** In this process: each gateway counts for itself, and from nothing after a restart. */
export function createMemoryStore(): LimitStore {
  return {
    limiter: ({ name, points, seconds }) =>
      new RateLimiterMemory({ keyPrefix: name, points, duration: seconds }),
    stop: async () => undefined,
  };
}
