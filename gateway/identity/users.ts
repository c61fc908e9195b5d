import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { anonymous } from '../http/state.ts';
import { isPasswordHash } from './password.ts';
import { type Scope, scopes } from './scopes.ts';

export interface User {
  /** The password's argon2id hash. */
  readonly clave: string;
  readonly permisos: readonly Scope[];
}

/** Users by name. */
export type Users = Readonly<Record<string, User>>;

/** The default path of the users file. */
export const usersFile = 'data/users.json';

export const userName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'expected 1 to 64 letters, digits and . _ @ -')
  .refine((name) => name !== anonymous, `${anonymous} is the name of callers without a token`);

const file = z.strictObject({
  usuarios: z.record(
    userName,
    z.strictObject({
      clave: z.string().refine(isPasswordHash, 'expected an argon2id hash'),
      permisos: z.array(z.enum(scopes)),
    }),
  ),
});

/** The users file is unusable. The message does not repeat its contents. */
export class UsersFileError extends Error {
  override readonly name = 'UsersFileError';
}

/** Reads the users file; a missing file has no users. Throws `UsersFileError`. */
export async function readUsers(path: string): Promise<Users> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return byName({});
    throw new UsersFileError(`${path} cannot be read`, { cause: err });
  }
  const read = file.safeParse(jsonOf(text));
  if (read.success) return byName(read.data.usuarios);
  const [issue] = read.error.issues;
  throw new UsersFileError(`${path} is not a users file: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** Replaces the users file atomically. Only its owner may read it. */
export async function writeUsers(path: string, users: Users): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, `${JSON.stringify({ usuarios: users }, null, 2)}\n`, { mode: 0o600 });
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Copies to an object without a prototype, so that no inherited name is found as a user. */
function byName(users: Users): Users {
  return Object.assign(Object.create(null), users);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
