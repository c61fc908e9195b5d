// Finds and installs PostgreSQL. Plain JavaScript for Node 18 or newer, because it also runs before an install.

import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackage, mayInstall } from './debian-install.mjs';

/**
 * Returns the folder with `postgres` and `initdb`, or undefined. Debian keeps each version in its own folder, none of
 * them in PATH.
 *
 * @returns {string
 * undefined}
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

/** Returns the version folders, newest first. */
function versionsIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(folder, version, 'bin'));
}

/** How to install PostgreSQL on this system. */
export const postgresAdvice =
  process.platform === 'darwin'
    ? 'brew install postgresql'
    : 'sudo apt-get install -y postgresql   (or with your package manager)';

/**
 * Installs PostgreSQL, as root on Debian or Ubuntu.
 *
 * @returns {string
 * undefined} problem and advice, or undefined when PostgreSQL is installed
 */
export function installPostgres() {
  if (!mayInstall()) {
    return `The tests run against PostgreSQL, which is not installed. Install it with\n  ${postgresAdvice}`;
  }
  if (!installPackage('postgresql') || findPostgres() === undefined)
    return 'apt-get could not install postgresql; see its output above.';
  return undefined;
}
