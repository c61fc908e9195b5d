// Installs what the npm scripts need. Plain JavaScript for Node 18 or newer, because it runs before an install, on
// the machine's own Node. With `--test` it also installs RabbitMQ, PostgreSQL, Chromium and Python's modules, which the
// tests need.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium, installChromium } from './chromium-install.mjs';
import { installFaultTools } from './fault-tools-install.mjs';
import { findPostgres, installPostgres } from './postgres-install.mjs';
import { findPython, installPython } from './python-install.mjs';
import { findRabbit, installRabbit } from './rabbit-install.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));
const quiet = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error', '--no-update-notifier'];
const inRepository = (...parts) => join(repository, ...parts);

/** Returns the Node that runs the code: the npm-installed one, else the current one. */
export function nodeProgram() {
  const installed = inRepository(
    'node_modules',
    'node',
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  return existsSync(installed) ? installed : process.execPath;
}

/** Returns whether a version such as `v24.12.0` satisfies `engines` in package.json. */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 12);
}

/** Installs packages that are missing or differ from package-lock.json. Prints nothing when all are installed. */
export function setup() {
  if (!isInstalled()) withLock(install);
  if (nodeProgram() === process.execPath && !isNewEnough(process.version)) {
    fail(
      `Node 24.12 or newer is needed, this is ${process.version}, and npm could not install the package "node".`,
    );
  }
}

/** Returns whether npm's copy of the lock file, written after an install, matches package-lock.json. */
function isInstalled() {
  const wanted = packagesOf(inRepository('package-lock.json'));
  const installed = packagesOf(inRepository('node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const there = installed[path];
    return there === undefined ? Boolean(optional || devOptional) : there.version === version;
  });
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  } catch {
    return {};
  }
}

/** Runs `work` under a lock file: several terminals of a fresh clone may install at the same time. */
function withLock(work) {
  const lock = inRepository('data', 'setup.lock');
  mkdirSync(inRepository('data'), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (isRunning(lock)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
      else rmSync(lock, { force: true });
    }
  }
  try {
    if (!isInstalled()) work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Returns whether the process whose pid is in the lock file still runs. An empty file was created at this moment. */
function isRunning(lock) {
  let text;
  try {
    text = readFileSync(lock, 'utf8');
    if (text === '') return true;
    process.kill(Number(text), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * Installs all packages, development dependencies too (the pinned Node is one), whatever NODE_ENV and npm's `omit`
 * say. Not `npm ci`: it rejects a lock file written where other platforms' binaries could not be looked up.
 */
function install() {
  process.stderr.write('Installing packages (npm install); this happens once…\n');
  const options = ['install', '--no-save', '--include=dev', '--ignore-scripts=false', ...quiet];
  const npm = process.env.npm_execpath;
  const result = npm
    ? spawnSync(process.execPath, [npm, ...options], { cwd: repository, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', options, {
        cwd: repository,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32',
      });
  if (result.status !== 0) fail('npm could not install the packages; see its output above.');
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setup();
  if (process.argv.includes('--test')) {
    const problems = [
      findRabbit() === undefined ? installRabbit() : undefined,
      findPostgres() === undefined ? installPostgres() : undefined,
      findChromium() === undefined ? installChromium() : undefined,
      findPython() === undefined ? installPython() : undefined,
    ].filter((problem) => problem !== undefined);
    if (problems.length > 0) fail(problems.join('\n'));
    const skipped = installFaultTools();
    if (skipped !== undefined) process.stderr.write(`${skipped}\n`);
  }
}
