// Where RabbitMQ is, and how it gets there. Plain JavaScript for Node 18 or newer: it also runs before an install.

import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The folder with `rabbitmq-server` and `rabbitmqctl`, or undefined. Debian's programs in /usr/sbin change the user and
 * lose the environment, those that they wrap do not; sbin folders are often missing in a user's PATH.
 *
 * @returns {string | undefined}
 */
export function findRabbit() {
  const folders = [
    '/usr/lib/rabbitmq/bin',
    ...(process.env.PATH ?? '').split(delimiter),
    '/opt/homebrew/sbin',
    '/usr/local/sbin',
  ];
  return folders.find((folder) => folder !== '' && existsSync(join(folder, 'rabbitmq-server')));
}

/** How a person installs it on this machine. */
export const rabbitAdvice =
  process.platform === 'darwin'
    ? 'brew install rabbitmq'
    : 'sudo apt-get install -y rabbitmq-server   (or what your system has instead of apt)';

/**
 * Installs it, when this is root on Debian or Ubuntu. No service is left running: what needs a broker starts its own.
 *
 * @returns {string | undefined} what is wrong and what to do, or undefined when it is installed
 */
export function installRabbit() {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    return `The tests run against RabbitMQ, which is not installed. Install it with\n  ${rabbitAdvice}`;
  }
  process.stderr.write('Installing rabbitmq-server (apt-get), for the tests…\n');
  // Debian asks this file before it starts a service that was just installed; 101 is "no".
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const done = aptGet('update') && aptGet('install', '--yes', '--no-install-recommends', 'rabbitmq-server');
    if (!done || findRabbit() === undefined)
      return 'apt-get could not install rabbitmq-server; what it said is above.';
    return undefined;
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function aptGet(...options) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-qq', ...options], { env, stdio: ['ignore', 2, 2] }).status === 0;
}
