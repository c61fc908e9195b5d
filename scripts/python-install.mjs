// Finds and installs Python with the libraries of the tests' independent clients. Plain JavaScript for Node 18 or newer,
// because it runs before an install.

import { spawnSync } from 'node:child_process';
import { installPackage, mayInstall } from './debian-install.mjs';

/** Python's modules, with the names of their Debian packages. */
const modules = { grpc: 'python3-grpcio', 'google.protobuf': 'python3-protobuf', pika: 'python3-pika' };
/** Debian's packages belong to Debian's own Python, which may not be the first in PATH. */
const programs = ['/usr/bin/python3', 'python3'];

/** @param {string} program */
function hasModules(program) {
  const look = `from importlib.util import find_spec; assert all(map(find_spec, ${JSON.stringify(Object.keys(modules))}))`;
  return spawnSync(program, ['-c', look], { stdio: 'ignore' }).status === 0;
}

/**
 * Returns the Python that has all modules.
 *
 * @returns {string
 * undefined}
 */
export function findPython() {
  return programs.find(hasModules);
}

/** How to install Python's modules on this system. */
export const pythonAdvice =
  process.platform === 'darwin'
    ? 'python3 -m pip install grpcio protobuf pika'
    : `sudo apt-get install -y ${Object.values(modules).join(' ')}   (or with your package manager)`;

/**
 * Installs Python's modules, as root on Debian or Ubuntu.
 *
 * @returns {string
 * undefined} problem and advice, or undefined when they are installed
 */
export function installPython() {
  if (!mayInstall()) {
    return `The tests run clients in Python, whose modules are not installed. Install them with\n  ${pythonAdvice}`;
  }
  if (!Object.values(modules).every(installPackage) || findPython() === undefined)
    return 'apt-get could not install the modules of Python; see its output above.';
  return undefined;
}
