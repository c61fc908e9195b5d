// Installs a Debian package for the tests. Plain JavaScript for Node 18 or newer, because it runs before an install.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

/** Returns whether this process is root on Debian or Ubuntu. */
export function mayInstall() {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/**
 * Installs a package without starting its services: the tests start their own.
 *
 * @param {string} name
 * @returns {boolean} whether the package was installed
 */
export function installPackage(name) {
  process.stderr.write(`Installing ${name} (apt-get), for the tests…\n`);
  // Debian runs this script before it starts a newly installed service; exit code 101 means no.
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return aptGet('update') && aptGet('install', '--yes', '--no-install-recommends', name);
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function aptGet(...options) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-qq', ...options], { env, stdio: ['ignore', 2, 2] }).status === 0;
}
