// Installs the packages that the npm scripts need. Plain JavaScript for Node 18 or newer, because it runs before an install, on
// the machine's own Node.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../runtime/command-line.mjs';
import { findChromium, installChromium } from './chromium-install.mjs';
import { installFaultTools } from './fault-tools-install.mjs';
import { findPostgres, installPostgres } from './postgres-install.mjs';
import { findPython, installPython } from './python-install.mjs';
import { findRabbit, installRabbit } from './rabbit-install.mjs';

const usage = `node scripts/setup.mjs [options]
  Installs the packages that are missing or differ from package-lock.json: those that run, and the package "node" where
  this machine's Node is too old. Packages that are already there stay.
  --development   also the packages of npm run check, npm test and npm run format
  --test          also the programs that npm test needs, such as RabbitMQ and PostgreSQL (implies --development)
  --help
`;

const repository = fileURLToPath(new URL('..', import.meta.url));
const quiet = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error', '--no-update-notifier'];
const inRepository = (...parts) => join(repository, ...parts);

const packages = inRepository('node_modules');
/** The package `node` is a development dependency, so that `npm ci --omit=dev` does not install it. */
const nodePackage = 'node_modules/node';
const ownNode = join(packages, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/** Returns the Node that runs the code: the npm-installed one, else the current one. */
export function nodeProgram() {
  return existsSync(ownNode) ? ownNode : process.execPath;
}

/** Returns whether a version such as `v24.12.0` satisfies `engines` in package.json. */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = neededVersion().split('.').map(Number);
  return major > neededMajor || (major === neededMajor && minor >= neededMinor);
}

/** Returns `24.12` from `>=24.12`. */
function neededVersion() {
  return JSON.parse(readFileSync(inRepository('package.json'), 'utf8')).engines.node.replace('>=', '');
}

/**
 * Installs packages that are missing or differ from package-lock.json: the production packages, or all of them for
 * `development`. Packages that are there stay. Prints nothing when nothing is missing.
 *
 * @param {{ development?: boolean }} [options]
 */
export function setup({ development = false } = {}) {
  if (!isInstalled(development)) withLock(development);
  if (nodeProgram() === process.execPath && !isNewEnough(process.version)) {
    fail(
      `Node ${neededVersion()} or newer is needed, this is ${process.version}, and npm could not install the package "node".`,
    );
  }
}

/** Returns whether npm's copy of the lock file, written at the end of an install, has what package-lock.json wants. */
function isInstalled(development) {
  const wanted = wantedPackages();
  const installed = installedPackages();
  if (needsNode() && !existsSync(ownNode)) return false;
  return Object.entries(wanted).every(([path, { version, dev, optional, devOptional }]) => {
    if (path === '' || (dev && !development && !(path === nodePackage && needsNode()))) return true;
    const there = installed[path];
    return there === undefined ? Boolean(optional || devOptional) : there.version === version;
  });
}

/** Returns whether the package `node` is needed: this Node is too old, or is that package itself. */
function needsNode() {
  return !isNewEnough(process.version) || existsSync(ownNode);
}

function wantedPackages() {
  return packagesOf(inRepository('package-lock.json'));
}

function installedPackages() {
  return packagesOf(join(packages, '.package-lock.json'));
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  } catch {
    return {};
  }
}

/**
 * Installs under a lock file: several terminals of a fresh clone may install at the same time. The lock file of a
 * process that has ended is a sign that its install was interrupted.
 */
function withLock(development) {
  const lock = inRepository('data', 'setup.lock');
  mkdirSync(inRepository('data'), { recursive: true });
  let interrupted = existsSync(packages) && !existsSync(join(packages, '.package-lock.json'));
  let waits = 0;
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isRunning(lock)) {
      if (++waits === 10) process.stderr.write(`Waiting for another install to end (${lock})…\n`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    } else {
      rmSync(lock, { force: true });
      interrupted = true;
    }
  }
  const installed = isInstalled(development) || install(development, interrupted);
  rmSync(lock, { force: true });
  if (!installed) fail('npm could not install the packages; see its output above.');
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
 * Installs what is missing, and returns whether that succeeded. After an interrupted install, npm would take half-extracted packages for whole ones, so they are
 * removed first. Not `npm ci`: it removes packages that running processes use.
 */
function install(development, interrupted) {
  // An install without the development packages would remove them.
  const all = development || Object.values(installedPackages()).some(({ dev }) => dev);
  const hasNode = existsSync(ownNode);
  if (interrupted) {
    // The current process may run on the package `node`.
    const rest = readdirSync(packages).filter((entry) => !(hasNode && entry === 'node'));
    for (const entry of rest) rmSync(join(packages, entry), { recursive: true, force: true });
  } else if (!hasNode) {
    // npm runs the package's install script, which brings the program, only for a package that is not there.
    rmSync(join(packages, 'node'), { recursive: true, force: true });
  }
  const which = all
    ? ['--include=dev']
    : [
        '--omit=dev',
        ...(needsNode() ? ['--save-prod', `node@${wantedPackages()[nodePackage].version}`] : []),
      ];
  process.stderr.write(
    `Installing ${all ? 'all packages, for development' : 'packages'} (npm install); this happens once…\n`,
  );
  const options = ['install', '--no-save', ...which, '--ignore-scripts=false', ...quiet];
  const { npm_execpath: npm, npm_node_execpath: node = process.execPath } = process.env;
  const result = npm
    ? spawnSync(node, [npm, ...options], { cwd: repository, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', options, {
        cwd: repository,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32',
      });
  return result.status === 0;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function installTestTools() {
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = { development: { type: 'boolean' }, test: { type: 'boolean' } };
  await runCommand({ usage, options }, ({ development, test }) => {
    setup({ development: development || test });
    if (test) installTestTools();
  });
}
