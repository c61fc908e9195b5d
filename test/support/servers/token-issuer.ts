import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** An OpenID provider with one key, on a free port. */
export interface TokenIssuer extends AsyncDisposable {
  /** Issuer name, and base URL of its OpenID configuration. */
  readonly url: string;
  /** Default audience of its tokens. */
  readonly audience: string;
  /** Public key as PEM. */
  readonly pem: string;
  /** Number of times that its keys were fetched. */
  readonly fetched: number;
  /** While true, every request is answered 500. */
  broken: boolean;
  /** While true, no request is answered. */
  silent: boolean;
  /** While true, its key set is empty. */
  keyless: boolean;
  /** Resolves when the next request has arrived. */
  nextRequest(): Promise<unknown>;
  /** The issuer that its discovery document names; its own by default. */
  named: string;
  /** Signs a token of a caller that may read, valid for a minute; `claims` override the defaults. */
  token(claims?: JWTPayload & Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export async function startTokenIssuer(alg: 'RS256' | 'ES256' | 'EdDSA' = 'RS256'): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }] };
  const { createPublicKey } = await import('node:crypto');
  const pem = createPublicKey({ key: keys.keys[0] as never, format: 'jwk' })
    .export({ format: 'pem', type: 'spki' })
    .toString();
  let fetched = 0;
  const server = createServer((req, res) => {
    if (issuer.silent) return;
    if (issuer.broken) {
      res.writeHead(500).end();
    } else if (req.url === '/.well-known/openid-configuration') {
      res.end(JSON.stringify({ issuer: issuer.named, jwks_uri: `${issuer.url}/keys` }));
    } else {
      fetched++;
      res.end(JSON.stringify(issuer.keyless ? { keys: [] } : keys));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const issuer: TokenIssuer = {
    url,
    audience: 'archivos-api',
    pem,
    get fetched() {
      return fetched;
    },
    broken: false,
    silent: false,
    keyless: false,
    nextRequest: () => once(server, 'request'),
    named: url,
    token: (claims = {}, header = {}) => {
      const now = Math.floor(Date.now() / 1000);
      const usual = {
        iss: url,
        aud: issuer.audience,
        sub: 'ana',
        iat: now,
        exp: now + 60,
        scope: 'archivos:leer',
      };
      return new SignJWT({ ...usual, ...claims })
        .setProtectedHeader({ alg, kid, ...header })
        .sign(privateKey);
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return issuer;
}

/** Builds a token from any header and payload; without a secret its signature is empty. */
export function forgedToken(
  header: Readonly<Record<string, unknown>>,
  payload: Readonly<Record<string, unknown>>,
  secret?: string,
): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part(header)}.${part(payload)}`;
  const signature =
    secret === undefined ? '' : createHmac('sha256', secret).update(signed).digest('base64url');
  return `${signed}.${signature}`;
}
