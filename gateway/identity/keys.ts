import { createSecretKey } from 'node:crypto';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  exportJWK,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  type JWTVerifyGetKey,
  type SignJWT,
} from 'jose';
import type { KeySource } from './config.ts';
import { openKeyFile } from './key-file.ts';

/** The issuer's keys are unavailable. */
export class IssuerUnavailableError extends Error {
  override readonly name = 'IssuerUnavailableError';
}

/** The keys that verify tokens, and sign them when tokens are issued here. */
export interface Keys {
  /** The accepted algorithms. The token's own header does not choose. */
  readonly algorithms: readonly string[];
  readonly verifying: JWTVerifyGetKey;
  readonly sign: ((token: SignJWT) => Promise<string>) | undefined;
  /** The public keys as JWKS, for other services that verify these tokens. */
  readonly published: JSONWebKeySet | undefined;
}

/** Public-key algorithms only: with HS256 among them, a public key could be passed off as the secret. */
const asymmetric = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

const fetchMs = 5_000;
/** Pause after a failed fetch, so that not every request asks an issuer that is down. */
const retryPauseMs = 2_000;

export async function openKeys(source: KeySource): Promise<Keys> {
  switch (source.kind) {
    case 'secret': {
      const key = createSecretKey(source.secret);
      const header: JWTHeaderParameters = { alg: 'HS256', typ: 'JWT' };
      return {
        algorithms: [header.alg],
        verifying: () => Promise.resolve(key) as ReturnType<JWTVerifyGetKey>,
        sign: (token) => token.setProtectedHeader(header).sign(key),
        published: undefined,
      };
    }
    case 'own': {
      const { privateKey, publicKey, kid } = await openKeyFile(source.file);
      const published = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' }] };
      return {
        algorithms: ['EdDSA'],
        verifying: createLocalJWKSet(published),
        sign: (token) => token.setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid }).sign(privateKey),
        published,
      };
    }
    case 'jwks':
    case 'issuer': {
      const find = source.kind === 'jwks' ? async () => source.url : () => discoverKeysUrl(source.issuer);
      return { algorithms: asymmetric, verifying: remoteKeys(find), sign: undefined, published: undefined };
    }
  }
}

/**
 * Returns a key lookup that fetches the issuer's keys at the first use, again for an unknown key, and when they are old.
 * The last keys stay valid while the issuer is unavailable, and are used without waiting while newer ones are fetched.
 * @param cooldownMs minimum time between two fetches for unknown keys, since any client can send one. A new key that the
 *   issuer uses at once is refused for so long
 * @param maxAgeMs age at which keys are fetched again. A key that the issuer removed is accepted for so long
 */
export function remoteKeys(
  find: () => Promise<URL>,
  cooldownMs = 5_000,
  maxAgeMs = 10 * 60_000,
): JWTVerifyGetKey {
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined;
  let last: JSONWebKeySet | undefined;
  let failed: { readonly error: IssuerUnavailableError; readonly at: number } | undefined;

  async function lookUp(...[header, token]: Parameters<JWTVerifyGetKey>) {
    if (failed !== undefined && performance.now() - failed.at < retryPauseMs) throw failed.error;
    try {
      keys ??= createRemoteJWKSet(await find(), {
        timeoutDuration: fetchMs,
        cooldownDuration: cooldownMs,
        cacheMaxAge: maxAgeMs,
      });
      const key = await keys(header, token);
      failed = undefined;
      return key;
    } catch (cause) {
      if (isAboutToken(cause)) throw cause;
      const error = new IssuerUnavailableError('The issuer of tokens does not provide its keys', { cause });
      failed = { error, at: performance.now() };
      // The issuer may have moved its keys.
      keys = undefined;
      throw error;
    } finally {
      last = keys?.jwks() ?? last;
    }
  }

  return async (header, token) => {
    const known = last && (await createLocalJWKSet(last)(header, token).catch(() => undefined));
    if (known === undefined) return lookUp(header, token);
    if (!keys?.fresh) void lookUp(header, token).catch(() => undefined);
    return known;
  };
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/**
 * Returns the URL of an OpenID provider's keys (OpenID Connect Discovery 1.0, section 4). The document must name the issuer
 * exactly as configured (section 4.3): another provider's document would bring that provider's keys.
 */
export async function discoverKeysUrl(issuer: string): Promise<URL> {
  const where = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await fetch(where, { redirect: 'error', signal: AbortSignal.timeout(fetchMs) });
  if (!answer.ok) throw new Error(`${where} answers ${answer.status}`);
  const found = (await answer.json()) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
  if (found.issuer !== issuer) {
    throw new Error(`${where} names the issuer ${JSON.stringify(found.issuer)}, not JWT_ISSUER`);
  }
  const url = typeof found.jwks_uri === 'string' ? URL.parse(found.jwks_uri) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== new URL(issuer).protocol)) {
    throw new Error(`${where} has no usable jwks_uri`);
  }
  return url;
}
