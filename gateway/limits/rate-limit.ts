import { barePath } from '../http/bare-path.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context, Middleware } from '../http/state.ts';
import { anonymous } from '../identity/anonymous.ts';
import { addressKey } from './address-key.ts';
import { type Allowance, type Limiter, type LimitStore, RateLimiterRes } from './store.ts';

export interface RateLimitOptions {
  /** The shortest time first. */
  readonly allowances: readonly Allowance[];
  /** By path, without `/v1`; 1 for the others. */
  readonly costs: ReadonlyMap<string, number>;
  readonly store: LimitStore;
}

export interface RateLimit {
  /** Charges the caller for the request, whoever that is known to be. */
  readonly middleware: Middleware;
  /** Charges the address of a request whose caller was not let in. Throws as the middleware does. */
  charge(ctx: Context): Promise<void>;
}

/** Whoever watches whether the process lives does not use anything up. */
const free: ReadonlySet<string> = new Set(['/salud/viva', '/salud/preparada', '/healthz', '/readyz']);

/**
 * Lets each caller spend so much and no more: who is known by name, from wherever; others by their address. Answers carry
 * `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10), a 429 also `Retry-After`.
 */
export function createRateLimit({ allowances, costs, store }: RateLimitOptions): RateLimit {
  const limiters = allowances.map((allowance) => ({ allowance, limiter: store.limiter(allowance) }));
  const costOf = new Map([...costs].map(([path, cost]) => [barePath(path), cost]));
  const policy = allowances
    .map(({ name, points, seconds }) => `"${name}";q=${points};w=${seconds}`)
    .join(', ');

  /** What is refused by a short time is not charged to the longer ones. */
  async function spend(ctx: Context, key: string): Promise<void> {
    const cost = costOf.get(barePath(ctx.path)) ?? 1;
    const left: string[] = [];
    ctx.set('RateLimit-Policy', policy);
    for (const { allowance, limiter } of limiters) {
      const result = await spent(limiter, key, cost);
      const seconds = Math.max(0, Math.ceil(result.msBeforeNext / 1000));
      left.push(`"${allowance.name}";r=${result.remainingPoints};t=${seconds}`);
      if (result.consumedPoints <= allowance.points) continue;
      ctx.set('RateLimit', left.join(', '));
      const segundos = Math.max(1, seconds);
      throw new ProblemError('demasiadas-peticiones', {
        values: { segundos },
        headers: { 'retry-after': String(segundos) },
      });
    }
    ctx.set('RateLimit', left.join(', '));
  }

  return {
    middleware: async (ctx, next) => {
      const { caller, address } = ctx.state;
      const known = caller !== '' && caller !== anonymous;
      if (!free.has(barePath(ctx.path)))
        await spend(ctx, known ? `caller ${caller}` : `address ${addressKey(address)}`);
      return next();
    },
    charge: (ctx) => spend(ctx, `address ${addressKey(ctx.state.address)}`),
  };
}

async function spent(limiter: Limiter, key: string, cost: number): Promise<RateLimiterRes> {
  try {
    return await limiter.consume(key, cost);
  } catch (thrown) {
    if (thrown instanceof RateLimiterRes) return thrown;
    throw thrown;
  }
}
