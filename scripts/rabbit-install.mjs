// Finds and installs RabbitMQ. Plain JavaScript for Node 18 or newer, because it also runs before an install.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackage, mayInstall } from './debian-install.mjs';

/**
 * Returns the folder with `rabbitmq-server` and `rabbitmqctl`, or undefined. Debian's wrappers in /usr/sbin change
 * the user and drop the environment, so the wrapped programs come first. sbin folders are often missing in a user's
 * PATH.
 *
 * @returns {string
 * undefined}
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

/** How to install RabbitMQ on this system. */
export const rabbitAdvice =
  process.platform === 'darwin'
    ? 'brew install rabbitmq'
    : 'sudo apt-get install -y rabbitmq-server   (or with your package manager)';

/**
 * Installs RabbitMQ, as root on Debian or Ubuntu.
 *
 * @returns {string
 * undefined} problem and advice, or undefined when RabbitMQ is installed
 */
export function installRabbit() {
  if (!mayInstall()) {
    return `The tests run against RabbitMQ, which is not installed. Install it with\n  ${rabbitAdvice}`;
  }
  if (!installPackage('rabbitmq-server') || findRabbit() === undefined)
    return 'apt-get could not install rabbitmq-server; see its output above.';
  return undefined;
}
