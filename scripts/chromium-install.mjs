// Finds and installs the browser for the tests. Plain JavaScript for Node 18 or newer, because it runs before an
// install.

import { existsSync } from 'node:fs';
import { installPackage, mayInstall } from './debian-install.mjs';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * @returns {string
 * undefined} path of the program
 */
export function findChromium() {
  return places.find((place) => existsSync(place));
}

/**
 * @returns {string
 * undefined} installation advice, or undefined when Chromium is now installed
 */
export function installChromium() {
  if (mayInstall() && installPackage('chromium')) return undefined;
  return 'The tests need Chromium. Debian: sudo apt-get install -y chromium; macOS: brew install --cask chromium';
}
