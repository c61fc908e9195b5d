// Where PostgreSQL is, and how it gets there. Plain JavaScript for Node 18 or newer: it also runs before an install.

import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackage, mayInstall } from './debian-install.mjs';

/**
 * The folder with `postgres` and `initdb`, or undefined. Debian keeps every version in a folder of its own, and none of
 * them in PATH.
 *
 * @returns {string | undefined}
 */
export function findPostgres() {
  const folders = [
    ...versionsIn('/usr/lib/postgresql'),
    ...(process.env.PATH ?? '').split(delimiter),
    '/opt/homebrew/bin',
    '/usr/local/bin',
  ];
  return folders.find((folder) => folder !== '' && existsSync(join(folder, 'initdb')));
}

/** The newest first. */
function versionsIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(folder, version, 'bin'));
}

/** How a person installs it on this machine. */
export const postgresAdvice =
  process.platform === 'darwin'
    ? 'brew install postgresql'
    : 'sudo apt-get install -y postgresql   (or what your system has instead of apt)';

/**
 * Installs it, when this is root on Debian or Ubuntu.
 *
 * @returns {string | undefined} what is wrong and what to do, or undefined when it is installed
 */
export function installPostgres() {
  if (!mayInstall()) {
    return `The tests run against PostgreSQL, which is not installed. Install it with\n  ${postgresAdvice}`;
  }
  if (!installPackage('postgresql') || findPostgres() === undefined)
    return 'apt-get could not install postgresql; what it said is above.';
  return undefined;
}
