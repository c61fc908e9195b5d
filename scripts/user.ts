import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
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
import { runCommand, UsageError } from '../runtime/command-line.mjs';
import { loadEnvFile, parseEnv } from '../runtime/env.ts';

const usage = `npm run user -- add NAME [--scopes SCOPES]   adds or changes a user of POST /login; asks for the password, or reads it
                                             from standard input
npm run user -- remove NAME
npm run user -- list
  --help
SCOPES: comma-separated, from ${scopes.join(', ')} (default: archivos:leer)
The file is AUTH_USERS_FILE (default: ${usersFile}).
`;

const shortestPassword = 8;

async function run(values: { scopes?: string }, [command, name, ...rest]: readonly string[]): Promise<void> {
  const { AUTH_USERS_FILE } = identityVariables;
  const path = parseEnv({ AUTH_USERS_FILE }, loadEnvFile(process.env)).AUTH_USERS_FILE ?? usersFile;
  if (rest.length > 0) throw new UsageError(`${rest.join(' ')}: too many arguments`);
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
    console.log(`${name} is no longer in ${path}; tokens already issued stay valid until they expire`);
  } else {
    throw new UsageError('The command is add, remove or list');
  }
}

function readScopes(text = 'archivos:leer'): Scope[] {
  const words = text.split(',').map((word) => word.trim());
  const wrong = words.filter((word) => !isScope(word));
  if (wrong.length > 0) throw new UsageError(`${wrong.join(', ')}: unknown scope`);
  return words.filter(isScope);
}

/** Reads the password. On a terminal it asks twice and does not echo. */
async function askPassword(name: string): Promise<string> {
  const terminal = process.stdin.isTTY;
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal });
  // Without echo, Ctrl-C must be handled here.
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
      throw new UsageError(`A password needs ${shortestPassword} characters or more`);
    }
    if (terminal && (await ask('Again: ')) !== password) throw new UsageError('The passwords differ');
    return password;
  } finally {
    lines.close();
  }
}

try {
  await runCommand({ usage, options: { scopes: { type: 'string' } }, takesArguments: true }, run);
} catch (err) {
  if (!(err instanceof UsersFileError)) throw err;
  process.stderr.write(`${err.message}\n`);
  process.exitCode = 1;
}
