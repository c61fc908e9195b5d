import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<'argon2id', Argon2Parameters, Buffer>(argon2);

/** OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane. */
const memory = 19_456;
const passes = 2;
const parallelism = 1;
const tagLength = 32;
const nonceLength = 16;

/** The PHC string format: https://github.com/P-H-C/phc-string-format */
const format = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([\w+/-]{11,86})\$([\w+/-]{22,86})$/;

/** Returns a password's argon2id hash (RFC 9106) in PHC string format, parameters included. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(nonceLength);
  const tag = await derive('argon2id', { message: password, nonce, memory, passes, parallelism, tagLength });
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(nonce)}$${unpadded(tag)}`;
}

/** Returns whether a text is an argon2id hash in PHC string format. */
export function isPasswordHash(text: string): boolean {
  return format.test(text);
}

export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [, m, t, p, nonce = '', tag = ''] = format.exec(hash) ?? [];
  if (m === undefined) throw new TypeError('Not an argon2id hash');
  const expected = Buffer.from(tag, 'base64');
  const derived = await derive('argon2id', {
    message: password,
    nonce: Buffer.from(nonce, 'base64'),
    memory: Number(m),
    passes: Number(t),
    parallelism: Number(p),
    tagLength: expected.length,
  });
  return timingSafeEqual(derived, expected);
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
