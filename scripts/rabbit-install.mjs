// Where RabbitMQ is, and how it gets there. Plain JavaScript for Node 18 or newer: it also runs before an install.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackage, mayInstall } from './debian-install.mjs';

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
 * Installs it, when this is root on Debian or Ubuntu.
 *
 * @returns {string | undefined} what is wrong and what to do, or undefined when it is installed
 */
export function installRabbit() {
  if (!mayInstall()) {
    return `The tests run against RabbitMQ, which is not installed. Install it with\n  ${rabbitAdvice}`;
  }
  if (!installPackage('rabbitmq-server') || findRabbit() === undefined)
    return 'apt-get could not install rabbitmq-server; what it said is above.';
  return undefined;
}
