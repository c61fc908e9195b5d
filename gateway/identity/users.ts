import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { anonymous } from '../http/state.ts';
import { isPasswordHash } from './password.ts';
import { type Scope, scopes } from './scopes.ts';

export interface User {
  /** Argon2id. */
  readonly clave: string;
  readonly permisos: readonly Scope[];
}

/** By their names. */
export type Users = Readonly<Record<string, User>>;

/** Where users are when nothing else is said. */
export const usersFile = 'data/users.json';

export const userName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'expected 1 to 64 letters, digits and . _ @ -')
  .refine((name) => name !== anonymous, `${anonymous} is nobody`);

const file = z.strictObject({
  usuarios: z.record(
    userName,
    z.strictObject({
      clave: z.string().refine(isPasswordHash, 'expected an argon2id hash'),
      permisos: z.array(z.enum(scopes)),
    }),
  ),
});

/** The file of users cannot be used. Its text is not repeated. */
export class UsersFileError extends Error {
  override readonly name = 'UsersFileError';
}

/** Those of the file; nobody when it is not there. Throws `UsersFileError`. */
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
  throw new UsersFileError(`${path} is no file of users: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** Replaces the file by one that only its owner may read; whole, or not at all. */
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

/** Without the names that every object has. */
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
