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

/** The keys of whoever makes the tokens cannot be had now. */
export class IssuerUnavailableError extends Error {
  override readonly name = 'IssuerUnavailableError';
}

/** What tokens are checked with, and signed with when they are made here. */
export interface Keys {
  /** No other algorithm is looked at: it is not the token that chooses. */
  readonly algorithms: readonly string[];
  readonly verifying: JWTVerifyGetKey;
  readonly sign: ((token: SignJWT) => Promise<string>) | undefined;
  /** The public keys of those that sign here, for others that check our tokens. */
  readonly published: JSONWebKeySet | undefined;
}

/** Not one of them takes a secret, which a public key could be passed off as. */
const asymmetric = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

const fetchMs = 5_000;
/** An issuer that does not answer is not asked again by every request. */
const pauseMs = 2_000;

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
      const find = source.kind === 'jwks' ? async () => source.url : () => describedBy(source.url);
      return { algorithms: asymmetric, verifying: remoteKeys(find), sign: undefined, published: undefined };
    }
  }
}

/**
 * Keys that are fetched when they are first asked for, and when one is asked for that is not known. While the issuer does not give
 * them, those that it gave last go on being good: anybody may bring a token of an unknown key, and make it be asked.
 * @param cooldownMs after they were fetched, keys that are not known do not make it be asked again for so long
 */
export function remoteKeys(find: () => Promise<URL>, cooldownMs = 30_000): JWTVerifyGetKey {
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined;
  let failed: { readonly error: IssuerUnavailableError; readonly at: number } | undefined;

  async function fetched(...[header, token]: Parameters<JWTVerifyGetKey>) {
    if (failed !== undefined && performance.now() - failed.at < pauseMs) throw failed.error;
    try {
      keys ??= createRemoteJWKSet(await find(), {
        timeoutDuration: fetchMs,
        cooldownDuration: cooldownMs,
      });
      const key = await keys(header, token);
      failed = undefined;
      return key;
    } catch (cause) {
      if (isAboutToken(cause)) throw cause;
      const error = new IssuerUnavailableError('The issuer of tokens does not give its keys', { cause });
      failed = { error, at: performance.now() };
      throw error;
    }
  }

  return async (header, token) => {
    try {
      return await fetched(header, token);
    } catch (error) {
      const last = keys?.jwks();
      if (!(error instanceof IssuerUnavailableError) || last === undefined) throw error;
      return await createLocalJWKSet(last)(header, token).catch(() => {
        throw error;
      });
    }
  };
}

function isAboutToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

/** Where an OpenID provider has its keys (OpenID Connect Discovery 1.0, section 4). */
async function describedBy(issuer: URL): Promise<URL> {
  const where = `${issuer.href.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const answer = await fetch(where, { redirect: 'error', signal: AbortSignal.timeout(fetchMs) });
  if (!answer.ok) throw new Error(`${where} answers ${answer.status}`);
  const { jwks_uri: uri } = (await answer.json()) as { readonly jwks_uri?: unknown };
  const url = typeof uri === 'string' ? URL.parse(uri) : null;
  if (url === null || (url.protocol !== 'https:' && url.protocol !== issuer.protocol)) {
    throw new Error(`${where} names no jwks_uri that can be used`);
  }
  return url;
}
