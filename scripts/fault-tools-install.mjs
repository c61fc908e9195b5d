// What makes disks and clocks fail, for the tests. Plain JavaScript for Node 18 or newer: it also runs before an install.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackage, mayInstall } from './debian-install.mjs';

/** Programs, which are also the names of Debian's packages. */
const tools = ['strace', 'faketime'];

/** @param {string} name */
function isInstalled(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/**
 * Installs what is missing, when this is root on Debian or Ubuntu. What then is still missing is no error: the tests that
 * need it say that they are skipped.
 *
 * @returns {string | undefined} what is missing, and how a person gets it
 */
export function installFaultTools() {
  if (process.platform !== 'linux') return undefined;
  const missing = tools.filter((name) => !isInstalled(name) && !(mayInstall() && installPackage(name)));
  if (missing.length === 0) return undefined;
  return `Some tests are skipped without them: sudo apt-get install -y ${missing.join(' ')}`;
}
