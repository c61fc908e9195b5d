import type { IncomingMessage } from 'node:http';
import { barePath } from '../http/bare-path.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context, Middleware, State } from '../http/state.ts';
import { payerAt, payerOf } from './quota-key.ts';
import { type Allowance, type Limiter, type LimitStore, RateLimiterRes } from './store.ts';

export interface RateLimitOptions {
  /** The shortest time first. */
  readonly allowances: readonly Allowance[];
  /** By path, without `/v1`; 1 for the others. */
  readonly costs: ReadonlyMap<string, number>;
  readonly store: LimitStore;
}

/** What a request costs, and whom. */
interface Charge {
  readonly key: string;
  readonly cost: number;
}

/** After a charge. */
export interface Spent {
  /** The header `RateLimit`. */
  readonly left: string;
  /** Seconds until it is worth asking again; undefined when there was enough. */
  readonly refusedFor: number | undefined;
}

export interface RateLimit {
  /** Charges the caller for the request, whoever that is known to be. */
  readonly middleware: Middleware;
  /** Charges the address of a request whose caller was not let in. Throws as the middleware does. */
  charge(ctx: Context): Promise<void>;
  /**
   * Charges for requests like this one as the middleware would, which does not do it again for those that reach it after
   * that; undefined when they are free.
   */
  spending(ctx: Context): ((req: IncomingMessage) => Promise<Spent>) | undefined;
  /**
   * Charges for what is as good as a request to `path`, on a connection that stays: each query over a WebSocket.
   * @throws ProblemError `demasiadas-peticiones`
   */
  chargeFor(path: string, who: Pick<State, 'caller' | 'address'>): Promise<void>;
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

  const spentBefore = new WeakMap<IncomingMessage, Promise<Spent>>();

  /** What is refused by a short time is not charged to the longer ones. */
  async function spend({ key, cost }: Charge): Promise<Spent> {
    let left = '';
    for (const { allowance, limiter } of limiters) {
      const result = await spent(limiter, key, cost);
      const seconds = Math.max(0, Math.ceil(result.msBeforeNext / 1000));
      left += `${left && ', '}"${allowance.name}";r=${result.remainingPoints};t=${seconds}`;
      if (result.consumedPoints > allowance.points) return { left, refusedFor: Math.max(1, seconds) };
    }
    return { left, refusedFor: undefined };
  }

  async function tell(ctx: Context, spending: Promise<Spent>): Promise<void> {
    ctx.set('RateLimit-Policy', policy);
    const { left, refusedFor } = await spending;
    ctx.set('RateLimit', left);
    if (refusedFor !== undefined) throw tooMany(refusedFor);
  }

  const costFor = (path: string) => costOf.get(barePath(path)) ?? 1;
  const chargeFor = ({ path, state }: Pick<Context, 'path' | 'state'>): Charge | undefined =>
    free.has(barePath(path)) ? undefined : { key: payerOf(state), cost: costFor(path) };

  return {
    middleware: async (ctx, next) => {
      const charge = chargeFor(ctx);
      if (charge !== undefined) await tell(ctx, spentBefore.get(ctx.req) ?? spend(charge));
      return next();
    },
    charge: (ctx) => tell(ctx, spend({ key: payerAt(ctx.state), cost: costFor(ctx.path) })),
    spending: (ctx) => {
      const charge = chargeFor(ctx);
      if (charge === undefined) return undefined;
      return (req) => {
        const spending = spend(charge);
        spentBefore.set(req, spending);
        return spending;
      };
    },
    chargeFor: async (path, who) => {
      const { refusedFor } = await spend({ key: payerOf(who), cost: costFor(path) });
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

async function spent(limiter: Limiter, key: string, cost: number): Promise<RateLimiterRes> {
  try {
    return await limiter.consume(key, cost);
  } catch (thrown) {
    if (thrown instanceof RateLimiterRes) return thrown;
    throw thrown;
  }
}
