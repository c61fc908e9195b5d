import type { KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { ConfigError } from '../../runtime/env.ts';

export interface OwnKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** RFC 7638. */
  readonly kid: string;
}

/**
 * The Ed25519 key that tokens are signed with here, from a JWK file that only its owner may read; made when there is
 * none. Gateways that are to know each other's tokens share the file. Throws a `ConfigError`.
 */
export async function openKeyFile(file: string): Promise<OwnKey> {
  try {
    const privateKey = await readKey(file).catch(async (err: NodeJS.ErrnoException) => {
      if (err.code !== 'ENOENT') throw err;
      await makeKey(file);
      return readKey(file);
    });
    if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('it is no Ed25519 key');
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
    // Its text is not repeated.
    throw new Error('it is no private key in JWK format');
  }
}

/** Whole or not at all, and never over one that another gateway made at the same time. */
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
