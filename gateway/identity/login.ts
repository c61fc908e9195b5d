import { SignJWT } from 'jose';
import type { Logger } from 'pino';
import * as z from 'zod';
import { readJsonBody } from '../http/body.ts';
import { assertMayAct } from '../http/preconditions.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';
import { addressKey } from '../limits/address-key.ts';
import { type Limiter, type LimitStore, RateLimiterRes } from '../limits/store.ts';
import type { Keys } from './keys.ts';
import { hashPassword, isPassword } from './password.ts';
import { readUsers, type User } from './users.ts';

export interface LoginOptions {
  /** The file of the users, read at every login, so that a removed user is locked out at once. */
  readonly users: string;
  readonly sign: NonNullable<Keys['sign']>;
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly scopePrefix: string;
  readonly lifetimeMs: number;
  readonly store: LimitStore;
  readonly log: Logger;
}

const maxBodyBytes = 4 * 1024;
/** Maximum concurrent password hashes. Each takes 19 MiB and a thread for about 30 ms. */
const maxConcurrentHashes = 8;

export const credentials = z.object({ usuario: z.string().max(64), clave: z.string().max(1024) });

/** Creates the handler of `POST /login`, which issues a token for a user's name and password. */
export function createLogin(options: LoginOptions): (ctx: Context) => Promise<void> {
  const { users, sign, issuer, audience, scopePrefix, lifetimeMs, store, log } = options;
  // Limited per user and address together, so that attempts from elsewhere cannot lock a user out.
  const perUser = store.limiter({ name: 'login-user', points: 10, seconds: 15 * 60 });
  const perAddress = store.limiter({ name: 'login-address', points: 100, seconds: 24 * 60 * 60 });
  // An unknown user's password is compared with this hash, so that the response takes the same time.
  const dummyUser: Promise<User> = hashPassword('').then((clave) => ({ clave, permisos: [] }));
  let hashing = 0;

  async function userOf(usuario: string, clave: string): Promise<User | undefined> {
    if (hashing >= maxConcurrentHashes) throw tooMany(1_000);
    hashing++;
    try {
      const user = (await readUsers(users))[usuario];
      const matches = await isPassword(clave, (user ?? (await dummyUser)).clave);
      return matches ? user : undefined;
    } finally {
      hashing--;
    }
  }

  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const { usuario, clave } = await readJsonBody(ctx, credentials, maxBodyBytes);
    const { address } = ctx.state;
    const network = addressKey(address);
    const pair = `${network} ${usuario}`;
    // Counted before the attempt, so that concurrent attempts count too.
    await spend(perAddress, network);
    await spend(perUser, pair);
    const user = await userOf(usuario, clave);
    log.info({ usuario, address, ok: user !== undefined }, 'login');
    if (user === undefined) throw new ProblemError('credenciales-no-validas');
    assertMayAct(ctx);
    await Promise.all([perUser.delete(pair), perAddress.delete(network)]);

    const now = Math.floor(Date.now() / 1000);
    const expires = now + Math.ceil(lifetimeMs / 1000);
    const token = new SignJWT({ scope: user.permisos.map((scope) => scopePrefix + scope).join(' ') });
    token
      .setSubject(usuario)
      .setIssuer(issuer)
      .setAudience([...audience]);
    ctx.body = {
      token: await sign(token.setIssuedAt(now).setExpirationTime(expires)),
      tipo: 'Bearer',
      vence: new Date(expires * 1000).toISOString(),
      permisos: user.permisos,
    };
  };
}

async function spend(limiter: Limiter, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (thrown) {
    throw thrown instanceof RateLimiterRes ? tooMany(thrown.msBeforeNext) : thrown;
  }
}

function tooMany(ms: number): ProblemError {
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(ms / 1000))) };
  return new ProblemError('demasiados-intentos', { headers });
}
