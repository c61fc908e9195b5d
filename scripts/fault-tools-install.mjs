// Installs the tools that make disks and clocks fail in tests. Plain JavaScript for Node 18 or newer, because it also
// runs before an install.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackage, mayInstall } from './debian-install.mjs';

/** Program names; Debian's packages have the same names. */
const tools = ['strace', 'faketime'];

/** @param {string} name */
function isInstalled(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/**
 * Installs missing tools, as root on Debian or Ubuntu. A tool that is still missing is no error: the tests that need
 * it report that they are skipped.
 *
 * @returns {string
 * undefined} advice for installing the missing tools
 */
export function installFaultTools() {
  if (process.platform !== 'linux') return undefined;
  const missing = tools.filter((name) => !isInstalled(name) && !(mayInstall() && installPackage(name)));
  if (missing.length === 0) return undefined;
  return `Some tests are skipped without them: sudo apt-get install -y ${missing.join(' ')}`;
}
