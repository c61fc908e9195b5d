import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { ConfigError } from '../../runtime/env.ts';

export interface OwnKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** The key's thumbprint (RFC 7638). */
  readonly kid: string;
}

/**
 * Opens the Ed25519 key that signs tokens: a JWK file readable by its owner only, created when missing. Gateways share
 * the file to accept each other's tokens.
 * @throws ConfigError
 */
export async function openKeyFile(file: string): Promise<OwnKey> {
  try {
    const privateKey = await readKey(file).catch(async (err: NodeJS.ErrnoException) => {
      if (err.code !== 'ENOENT') throw err;
      await makeKey(file);
      return readKey(file);
    });
    if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('it is not an Ed25519 key');
    const publicKey = createPublicKey(privateKey);
    return { privateKey, publicKey, kid: await calculateJwkThumbprint(await exportJWK(publicKey)) };
  } catch (err) {
    const problem = `${file} cannot be used: ${(err as Error).message}`;
    throw new ConfigError([{ variable: 'AUTH_KEY_FILE', problem }], { cause: err });
  }
}

async function readKey(file: string): Promise<KeyObject> {
  const text = await readFile(file, 'utf8');
  try {
    return createPrivateKey({ key: JSON.parse(text), format: 'jwk' });
  } catch {
    // The original error is dropped because it may quote the key.
    throw new Error('it is not a private key in JWK format');
  }
}

/** Writes the key file atomically. A file that another gateway created meanwhile is kept. */
async function makeKey(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const { privateKey } = generateKeyPairSync('ed25519');
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(privateKey.export({ format: 'jwk' }))}\n`, { mode: 0o600 });
  try {
    await link(draft, file);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
  } finally {
    await rm(draft);
  }
}
