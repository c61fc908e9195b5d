// Users who may log in (POST /login), in the file AUTH_USERS_FILE.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { identityVariables } from '../gateway/identity/config.ts';
import { hashPassword } from '../gateway/identity/password.ts';
import { isScope, type Scope, scopes } from '../gateway/identity/scopes.ts';
import {
  readUsers,
  type User,
  UsersFileError,
  userName,
  usersFile,
  writeUsers,
} from '../gateway/identity/users.ts';
import { loadEnvFile, parseEnv } from '../runtime/env.ts';

const usage = `npm run user -- add NAME [--scopes SCOPES]   asks for a password (or reads it from standard input), and adds or changes a user
npm run user -- remove NAME
npm run user -- list
SCOPES: with commas, of ${scopes.join(', ')} (default: archivos:leer)
The file is AUTH_USERS_FILE (default: ${usersFile}).
`;

/** What the person typed is not understood; the message says what. */
class UsageError extends Error {}

const shortestPassword = 8;

async function run(args: readonly string[]): Promise<void> {
  const { positionals, values } = parse(args);
  const [command, name, ...rest] = positionals;
  const { AUTH_USERS_FILE } = identityVariables;
  const path = parseEnv({ AUTH_USERS_FILE }, loadEnvFile(process.env)).AUTH_USERS_FILE ?? usersFile;
  if (rest.length > 0) throw new UsageError(`${rest.join(' ')}: too much`);
  const users: Record<string, User> = Object.assign(Object.create(null), await readUsers(path));
  if (command === 'list' && name === undefined) {
    for (const [each, { permisos }] of Object.entries(users)) console.log(`${each}: ${permisos.join(', ')}`);
  } else if (command === 'add' && name !== undefined) {
    const read = userName.safeParse(name);
    if (!read.success) throw new UsageError(`${name}: ${read.error.issues[0]?.message}`);
    const permisos = readScopes(values.scopes);
    users[name] = { clave: await hashPassword(await askPassword(name)), permisos };
    await writeUsers(path, users);
    console.log(`${name} is in ${path}: ${permisos.join(', ')}`);
  } else if (command === 'remove' && name !== undefined) {
    if (users[name] === undefined) throw new UsageError(`There is no ${name} in ${path}`);
    delete users[name];
    await writeUsers(path, users);
    console.log(`${name} is no longer in ${path}; tokens that were given out are good until they expire`);
  } else {
    throw new UsageError('add, remove or list');
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: { scopes: { type: 'string' } } });
  } catch (err) {
    throw new UsageError((err as Error).message);
  }
}

function readScopes(text = 'archivos:leer'): Scope[] {
  const words = text.split(',').map((word) => word.trim());
  const wrong = words.filter((word) => !isScope(word));
  if (wrong.length > 0) throw new UsageError(`${wrong.join(', ')}: no such scope`);
  return words.filter(isScope);
}

/** On a terminal it is asked for twice, and not shown. */
async function askPassword(name: string): Promise<string> {
  const terminal = process.stdin.isTTY;
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal });
  // Ctrl-C on a terminal that shows nothing.
  lines.on('SIGINT', () => process.exit(130));
  const answers = lines[Symbol.asyncIterator]();
  const ask = async (text: string): Promise<string> => {
    if (terminal) process.stderr.write(text);
    const { value = '' } = await answers.next();
    if (terminal) process.stderr.write('\n');
    return value;
  };
  try {
    const password = await ask(`Password of ${name}: `);
    if (password.length < shortestPassword) {
      throw new UsageError(`A password has ${shortestPassword} characters or more`);
    }
    if (terminal && (await ask('Again: ')) !== password) throw new UsageError('They are not the same');
    return password;
  } finally {
    lines.close();
  }
}

try {
  await run(process.argv.slice(2));
} catch (err) {
  if (!(err instanceof UsageError || err instanceof UsersFileError)) throw err;
  process.stderr.write(`${err.message}\n${err instanceof UsageError ? usage : ''}`);
  process.exitCode = 1;
}
