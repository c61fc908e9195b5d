import { isIPv6 } from 'node:net';
import { ProblemError } from '../http/problem.ts';
import type { Context, Middleware } from '../http/state.ts';
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
  const policy = allowances
    .map(({ name, points, seconds }) => `"${name}";q=${points};w=${seconds}`)
    .join(', ');

  /** What is refused by a short time is not charged to the longer ones. */
  async function spend(ctx: Context, key: string): Promise<void> {
    const cost = costs.get(ctx.path) ?? 1;
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
      const known = caller !== '' && 'authorization' in ctx.req.headers;
      if (!free.has(ctx.path)) await spend(ctx, known ? `caller ${caller}` : keyOf(address));
      return next();
    },
    charge: (ctx) => spend(ctx, keyOf(ctx.state.address)),
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

/** Whoever has an IPv6 address has 2^64 of them. */
function keyOf(address: string): string {
  if (!isIPv6(address)) return `address ${address}`;
  const { hostname } = new URL(`http://[${address}]`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const before = head.split(':').filter((part) => part !== '');
  const after = tail?.split(':').filter((part) => part !== '') ?? [];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const parts = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return `address ${parts.slice(0, 4).join(':')}::/64`;
}
