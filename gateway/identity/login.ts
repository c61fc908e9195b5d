import { SignJWT } from 'jose';
import type { Logger } from 'pino';
import * as z from 'zod';
import { readJsonBody } from '../http/body.ts';
import { ProblemError } from '../http/problem.ts';
import type { Context } from '../http/state.ts';
import { addressKey } from '../limits/address-key.ts';
import { type Limiter, type LimitStore, RateLimiterRes } from '../limits/store.ts';
import type { Keys } from './keys.ts';
import { hashPassword, isPassword } from './password.ts';
import { readUsers, type User } from './users.ts';

export interface LoginOptions {
  /** The file of the users. It is read at every login: whoever was removed is out at once. */
  readonly users: string;
  readonly sign: NonNullable<Keys['sign']>;
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly scopePrefix: string;
  readonly lifetimeMs: number;
  readonly store: LimitStore;
  readonly log: Logger;
}

const longestBody = 4 * 1024;
/** Each takes 19 MiB and a thread for some 30 ms. */
const mostAtOnce = 8;

export const credentials = z.object({ usuario: z.string().max(64), clave: z.string().max(1024) });

/** `POST /login`: a token for who knows a user's name and password. */
export function createLogin(options: LoginOptions): (ctx: Context) => Promise<void> {
  const { users, sign, issuer, audience, scopePrefix, lifetimeMs, store, log } = options;
  // By name and address together: nobody can shut out a user from elsewhere.
  const ofUser = store.limiter({ name: 'login-user', points: 10, seconds: 15 * 60 });
  const ofAddress = store.limiter({ name: 'login-address', points: 100, seconds: 24 * 60 * 60 });
  // What a name is compared with that does not exist, so that it takes as long as one that does.
  const nobody: Promise<User> = hashPassword('').then((clave) => ({ clave, permisos: [] }));
  let under = 0;

  async function userOf(usuario: string, clave: string): Promise<User | undefined> {
    if (under >= mostAtOnce) throw tooMany(1_000);
    under++;
    try {
      const user = (await readUsers(users))[usuario];
      const matches = await isPassword(clave, (user ?? (await nobody)).clave);
      return matches ? user : undefined;
    } finally {
      under--;
    }
  }

  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const { usuario, clave } = await readJsonBody(ctx, credentials, longestBody);
    const { address } = ctx.state;
    const network = addressKey(address);
    const pair = `${network} ${usuario}`;
    // Counted before it is tried: those that come at once are counted, too.
    await spend(ofAddress, network);
    await spend(ofUser, pair);
    const user = await userOf(usuario, clave);
    log.info({ usuario, address, ok: user !== undefined }, 'login');
    if (user === undefined) throw new ProblemError('credenciales-no-validas');
    await Promise.all([ofUser.delete(pair), ofAddress.delete(network)]);

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
