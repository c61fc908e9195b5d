import * as z from 'zod';
import { type ConfigProblem, isLoopback, milliseconds } from '../../runtime/env.ts';
import { usersFile } from './users.ts';

/** Bytes: less is guessed (RFC 7518, section 3.2). */
const shortestSecret = 32;

/** Which keys are to be trusted. */
export type KeySource =
  /** HS256. */
  | { readonly kind: 'secret'; readonly secret: Uint8Array }
  | { readonly kind: 'jwks'; readonly url: URL }
  /** The issuer's own description says where its keys are. */
  | { readonly kind: 'issuer'; readonly url: URL }
  /** A key of our own, in a file that is made when it is missing. */
  | { readonly kind: 'own'; readonly file: string };

/** How callers are known. */
export type IdentityConfig =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'jwt';
      readonly keys: KeySource;
      readonly issuer: string;
      /** A token has to be for one of them. */
      readonly audience: readonly string[];
      /** What stands before our scopes in a token. */
      readonly scopePrefix: string;
      /** File of the users that may log in here; without it there is no login. */
      readonly users: string | undefined;
      readonly lifetimeMs: number;
    };

const auth = z.enum(['none', 'jwt'], {
  error: (issue) => `expected none or jwt, got ${JSON.stringify(issue.input)}`,
});
/** Not repeated in the message. */
const secret = z
  .string()
  .refine((text) => Buffer.byteLength(text) >= shortestSecret, `expected ${shortestSecret} bytes or more`);
const url = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'expected https://…')
  .transform((text) => new URL(text));
const words = z
  .string()
  .default('')
  .transform((text) => text.split(/[\s,]+/).filter((word) => word !== ''));

export const identityVariables = {
  AUTH: auth.default('none'),
  AUTH_USERS_FILE: z.string().optional(),
  AUTH_KEY_FILE: z.string().default('data/token-key.json'),
  TOKEN_LIFETIME_MS: milliseconds.default(15 * 60 * 1000),
  JWT_SECRET: secret.optional(),
  JWT_JWKS_URL: url.optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: words,
  JWT_SCOPE_PREFIX: z.string().default(''),
};

type Values = z.output<z.ZodObject<typeof identityVariables>> & { readonly ALLOW_PLAINTEXT: boolean };
/** What is undefined is absent, or wrong by itself. */
type Given = { readonly [Name in keyof Values]?: Values[Name] | undefined };

const ourselves = 'archivero';

/** Of variables that `identityProblems` finds nothing wrong with. */
export function readIdentityConfig(values: Values): IdentityConfig {
  if (values.AUTH === 'none') return { kind: 'none' };
  const { JWT_ISSUER, JWT_AUDIENCE, AUTH_USERS_FILE } = values;
  const keys = keysOf(values);
  return {
    kind: 'jwt',
    keys,
    issuer: JWT_ISSUER ?? ourselves,
    audience: JWT_AUDIENCE.length === 0 ? [ourselves] : JWT_AUDIENCE,
    scopePrefix: values.JWT_SCOPE_PREFIX,
    users: keys.kind === 'own' ? (AUTH_USERS_FILE ?? usersFile) : AUTH_USERS_FILE,
    lifetimeMs: values.TOKEN_LIFETIME_MS,
  };
}

function keysOf({ JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, AUTH_USERS_FILE, AUTH_KEY_FILE }: Values): KeySource {
  if (JWT_SECRET !== undefined) return { kind: 'secret', secret: Buffer.from(JWT_SECRET) };
  if (JWT_JWKS_URL !== undefined) return { kind: 'jwks', url: JWT_JWKS_URL };
  if (JWT_ISSUER === undefined || AUTH_USERS_FILE !== undefined) return { kind: 'own', file: AUTH_KEY_FILE };
  return { kind: 'issuer', url: new URL(JWT_ISSUER) };
}

/** What is wrong with the variables together. */
export function identityProblems(given: Given): ConfigProblem[] {
  const { AUTH, JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, AUTH_USERS_FILE } = given;
  if (AUTH !== 'jwt') return [];
  if (JWT_SECRET !== undefined && JWT_JWKS_URL !== undefined) {
    const what = 'is set, and JWT_JWKS_URL too: tokens are signed with the one or the other';
    return [{ variable: 'JWT_SECRET', problem: what }];
  }
  if (JWT_JWKS_URL !== undefined) return problemsOfForeign('JWT_JWKS_URL', JWT_JWKS_URL, given);
  if (JWT_SECRET !== undefined || JWT_ISSUER === undefined || AUTH_USERS_FILE !== undefined) return [];
  const issuer = url.safeParse(JWT_ISSUER);
  if (issuer.success) return problemsOfForeign('JWT_ISSUER', issuer.data, given);
  return [{ variable: 'JWT_ISSUER', problem: 'expected https://…, where its keys are described' }];
}

/** Of tokens that are made elsewhere: they are for others, too. */
function problemsOfForeign(variable: string, where: URL, given: Given): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (given.JWT_ISSUER === undefined) {
    problems.push({ variable: 'JWT_ISSUER', problem: 'missing; expected what tokens have as iss' });
  }
  if (given.JWT_AUDIENCE?.length === 0) {
    const what = 'what tokens for this gateway have as aud (of Cognito: as client_id)';
    problems.push({ variable: 'JWT_AUDIENCE', problem: `missing; expected ${what}` });
  }
  if (given.AUTH_USERS_FILE !== undefined) {
    const what = `is set, and ${variable} too: tokens are made here or there`;
    problems.push({ variable: 'AUTH_USERS_FILE', problem: what });
  }
  const host = where.hostname.replace(/^\[|\]$/g, '');
  if (where.protocol === 'http:' && !isLoopback(host) && given.ALLOW_PLAINTEXT === false) {
    const what = 'with http:// whoever is on the way can give keys of their own; use https://';
    problems.push({ variable, problem: `${what}, or set ALLOW_PLAINTEXT=true in a private network` });
  }
  return problems;
}
