import * as z from 'zod';
import {
  type ConfigProblem,
  isLoopback,
  milliseconds,
  oneOf,
  path,
  schemaOf,
  wordsOf,
} from '../../runtime/env.ts';
import { usersFile } from './users.ts';

/** Minimum secret length in bytes: a shorter one can be guessed (RFC 7518, section 3.2). */
const minSecretBytes = 32;

/** The source of the keys that tokens are verified with. */
export type KeySource =
  /** A shared HS256 secret. */
  | { readonly kind: 'secret'; readonly secret: Uint8Array }
  | { readonly kind: 'jwks'; readonly url: URL }
  /** The issuer's OpenID discovery document names its keys. */
  | { readonly kind: 'issuer'; readonly issuer: string }
  /** The gateway's own key, in a file that is created when missing. */
  | { readonly kind: 'own'; readonly file: string };

/** How callers are authenticated. */
export type IdentityConfig =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'jwt';
      readonly keys: KeySource;
      readonly issuer: string;
      /** A token's audience must contain one of these. */
      readonly audience: readonly string[];
      /** Prefix of this product's scopes in a token. */
      readonly scopePrefix: string;
      /** The file of the users that may log in; undefined disables login. */
      readonly users: string | undefined;
      readonly lifetimeMs: number;
    };

const secret = schemaOf(
  `${minSecretBytes} bytes or more`,
  (text) => (Buffer.byteLength(text) >= minSecretBytes ? text : undefined),
  true,
);
const url = schemaOf(
  'https://…',
  (text) => {
    const parsed = URL.parse(text);
    return parsed !== null && /^https?:$/.test(parsed.protocol) ? parsed : undefined;
  },
  // The URL may hold a password.
  true,
);

export const identityVariables = {
  AUTH: oneOf(['none', 'jwt']).default('none'),
  AUTH_USERS_FILE: path.optional(),
  AUTH_KEY_FILE: path.default('data/token-key.json'),
  TOKEN_LIFETIME_MS: milliseconds.default(15 * 60 * 1000),
  JWT_SECRET: secret.optional(),
  JWT_JWKS_URL: url.optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: schemaOf('words', wordsOf).default([]),
  JWT_SCOPE_PREFIX: z.string().default(''),
};

type Values = z.output<z.ZodObject<typeof identityVariables>> & { readonly ALLOW_PLAINTEXT: boolean };
/** The variables that parsed. An undefined one is absent or has an error of its own. */
type ParsedValues = { readonly [Name in keyof Values]?: Values[Name] | undefined };

const defaultName = 'archivero';

/** Reads the configuration from variables in which `identityProblems` found no problem. */
export function readIdentityConfig(values: Values): IdentityConfig {
  if (values.AUTH === 'none') return { kind: 'none' };
  const { JWT_ISSUER, JWT_AUDIENCE, AUTH_USERS_FILE } = values;
  const keys = keysOf(values);
  return {
    kind: 'jwt',
    keys,
    issuer: JWT_ISSUER ?? defaultName,
    audience: JWT_AUDIENCE.length === 0 ? [defaultName] : JWT_AUDIENCE,
    scopePrefix: values.JWT_SCOPE_PREFIX,
    users: keys.kind === 'own' ? (AUTH_USERS_FILE ?? usersFile) : AUTH_USERS_FILE,
    lifetimeMs: values.TOKEN_LIFETIME_MS,
  };
}

function keysOf({ JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, AUTH_USERS_FILE, AUTH_KEY_FILE }: Values): KeySource {
  if (JWT_SECRET !== undefined) return { kind: 'secret', secret: Buffer.from(JWT_SECRET) };
  if (JWT_JWKS_URL !== undefined) return { kind: 'jwks', url: JWT_JWKS_URL };
  if (JWT_ISSUER === undefined || AUTH_USERS_FILE !== undefined) return { kind: 'own', file: AUTH_KEY_FILE };
  return { kind: 'issuer', issuer: JWT_ISSUER };
}

/** Returns the problems that follow from the combination of variables. */
export function identityProblems(values: ParsedValues): ConfigProblem[] {
  const { AUTH, JWT_SECRET, JWT_JWKS_URL, JWT_ISSUER, AUTH_USERS_FILE } = values;
  if (AUTH !== 'jwt') return [];
  if (JWT_SECRET !== undefined && JWT_JWKS_URL !== undefined) {
    return [{ variable: 'JWT_SECRET', problem: 'is set together with JWT_JWKS_URL; set only one of them' }];
  }
  if (JWT_JWKS_URL !== undefined) return externalIssuerProblems('JWT_JWKS_URL', JWT_JWKS_URL, values);
  if (JWT_SECRET !== undefined || JWT_ISSUER === undefined || AUTH_USERS_FILE !== undefined) return [];
  const issuer = url.safeParse(JWT_ISSUER);
  if (issuer.success) return externalIssuerProblems('JWT_ISSUER', issuer.data, values);
  return [{ variable: 'JWT_ISSUER', problem: 'expected https://…, whose discovery document names its keys' }];
}

/** Checks the variables of an external issuer, whose tokens may also be meant for other applications. */
function externalIssuerProblems(variable: string, where: URL, values: ParsedValues): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (values.JWT_ISSUER === undefined) {
    problems.push({ variable: 'JWT_ISSUER', problem: 'missing; expected the iss of the tokens' });
  }
  if (values.JWT_AUDIENCE?.length === 0) {
    const problem = 'missing; expected the aud of tokens for this gateway (Cognito: their client_id)';
    problems.push({ variable: 'JWT_AUDIENCE', problem });
  }
  if (values.AUTH_USERS_FILE !== undefined) {
    const problem = `is set together with ${variable}; tokens are issued either here or there`;
    problems.push({ variable: 'AUTH_USERS_FILE', problem });
  }
  const host = where.hostname.replace(/^\[|\]$/g, '');
  if (where.protocol === 'http:' && !isLoopback(host) && values.ALLOW_PLAINTEXT === false) {
    const problem =
      'http:// lets an attacker on the network replace the keys; use https://, or set ALLOW_PLAINTEXT=true in a private network';
    problems.push({ variable, problem });
  }
  return problems;
}
