import { barePath } from '../http/bare-path.ts';
import { ProblemError } from '../http/problem.ts';
import { setCommonHeader } from '../http/response.ts';
import type { Context, Middleware, State } from '../http/state.ts';
import { addressQuotaKey, quotaKeyOf } from './quota-key.ts';
import { type Allowance, type Limiter, type LimitStore, RateLimiterRes } from './store.ts';

export interface RateLimitOptions {
  /** Sorted by period, the shortest first. */
  readonly allowances: readonly Allowance[];
  /** Costs by path, without `/v1`. Other paths cost 1. */
  readonly costs: ReadonlyMap<string, number>;
  readonly store: LimitStore;
}

/** The cost of a request and the quota key that pays it. */
interface Charge {
  readonly key: string;
  readonly cost: number;
}

/** The result of a charge. */
interface ChargeResult {
  /** The value of the header `RateLimit`. */
  readonly left: string;
  /** Seconds until a retry is useful; undefined when the quota sufficed. */
  readonly refusedFor: number | undefined;
}

export interface RateLimit {
  /** Charges the request to the caller's quota key. */
  readonly middleware: Middleware;
  /** Charges a refused request to the client's address. Throws as the middleware does. */
  charge(ctx: Context): Promise<void>;
  /**
   * Charges for the equivalent of a request to `path` on an open connection, such as a WebSocket query.
   * @throws ProblemError `demasiadas-peticiones`
   */
  chargeFor(path: string, who: Pick<State, 'caller' | 'address'>): Promise<void>;
}

/** Health probes are free. */
const freePaths: ReadonlySet<string> = new Set(['/salud/viva', '/salud/preparada', '/healthz', '/readyz']);

/**
 * Limits each caller's requests, counted by user id, else by address. Answers carry `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers-10); a 429 also carries `Retry-After`.
 */
export function createRateLimit({ allowances, costs, store }: RateLimitOptions): RateLimit {
  const limiters = allowances.map((allowance) => ({ allowance, limiter: store.limiter(allowance) }));
  const costOf = new Map([...costs].map(([path, cost]) => [barePath(path), cost]));
  const policy = allowances
    .map(({ name, points, seconds }) => `"${name}";q=${points};w=${seconds}`)
    .join(', ');

  /** Charges every period, the shortest first. A period that refuses the request ends the charge. */
  async function chargeAll({ key, cost }: Charge): Promise<ChargeResult> {
    let left = '';
    for (const { allowance, limiter } of limiters) {
      const result = await consume(limiter, key, cost);
      const seconds = Math.max(0, Math.ceil(result.msBeforeNext / 1000));
      left += `${left && ', '}"${allowance.name}";r=${result.remainingPoints};t=${seconds}`;
      if (result.consumedPoints > allowance.points) return { left, refusedFor: Math.max(1, seconds) };
    }
    return { left, refusedFor: undefined };
  }

  async function applyCharge(ctx: Context, charge: Charge): Promise<void> {
    setCommonHeader(ctx.res, 'RateLimit-Policy', policy);
    const { left, refusedFor } = await chargeAll(charge);
    setCommonHeader(ctx.res, 'RateLimit', left);
    if (refusedFor !== undefined) throw tooMany(refusedFor);
  }

  const costFor = (path: string) => costOf.get(barePath(path)) ?? 1;
  const chargeOf = ({ path, state }: Pick<Context, 'path' | 'state'>): Charge | undefined =>
    freePaths.has(barePath(path)) ? undefined : { key: quotaKeyOf(state), cost: costFor(path) };

  return {
    middleware: async (ctx, next) => {
      const charge = chargeOf(ctx);
      if (charge !== undefined) await applyCharge(ctx, charge);
      return next();
    },
    charge: (ctx) => applyCharge(ctx, { key: addressQuotaKey(ctx.state), cost: costFor(ctx.path) }),
    chargeFor: async (path, who) => {
      const { refusedFor } = await chargeAll({ key: quotaKeyOf(who), cost: costFor(path) });
      if (refusedFor !== undefined) throw tooMany(refusedFor);
    },
  };
}

function tooMany(segundos: number): ProblemError {
  return new ProblemError('demasiadas-peticiones', {
    values: { segundos },
    headers: { 'retry-after': String(segundos) },
  });
}

async function consume(limiter: Limiter, key: string, cost: number): Promise<RateLimiterRes> {
  try {
    return await limiter.consume(key, cost);
  } catch (thrown) {
    if (thrown instanceof RateLimiterRes) return thrown;
    throw thrown;
  }
}
