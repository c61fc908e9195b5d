import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { repository } from './deployment.ts';

/** A replacement in one file of the source tree; `find` must occur exactly once. */
export interface Patch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** Files and folders that the programs need. */
const parts = [
  'gateway',
  'mserv1',
  'mserv2',
  'runtime',
  'filesystem',
  'proto',
  'test/faults/harness',
  'package.json',
];

/** Copies the source tree to a temporary folder and patches it. Throws when a patch does not fit. */
export function createMutant(patches: readonly Patch[]): TemporaryFolder {
  const folder = new TemporaryFolder();
  try {
    for (const part of parts) cpSync(join(repository, part), folder.join(part), { recursive: true });
    symlinkSync(join(repository, 'node_modules'), folder.join('node_modules'));
    for (const { file, find, replace } of patches) {
      const text = readFileSync(folder.join(file), 'utf8');
      const places = text.split(find).length - 1;
      if (places !== 1) throw new Error(`${file} contains ${places} times instead of once: ${find}`);
      writeFileSync(
        folder.join(file),
        text.replace(find, () => replace),
      );
    }
    return folder;
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}
