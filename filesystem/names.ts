import { readdirSync } from 'node:fs';
import { type ByteString, toPath } from './byte-string.ts';
import { errnoOf } from './file-error.ts';
import type { Folder } from './folder.ts';
import { type Kind, kindOf } from './kind.ts';
import { itself } from './watches.ts';

/** All entries of a folder, read at once: `kinds[i]` belongs to `names[i]`. */
export interface NamesAndKinds {
  readonly names: ByteString[];
  readonly kinds: Kind[];
}

/**
 * Reads all entries of a folder at once: a third faster than `folder.entries()`, but it blocks the event loop
 * meanwhile. Throws system errors.
 */
export function readNames(folder: Folder): NamesAndKinds {
  const names: ByteString[] = [];
  const kinds: Kind[] = [];
  try {
    const options = { withFileTypes: true, encoding: 'latin1' } as const;
    for (const entry of readdirSync(toPath(folder.addressOf(itself)), options)) {
      names.push(entry.name as ByteString);
      kinds.push(kindOf(entry));
    }
  } catch (error) {
    // Without entry types from the file system, Node calls lstat itself and that fails; `entries` handles this case.
    if (errnoOf(error) === undefined || (error as NodeJS.ErrnoException).syscall !== 'lstat') throw error;
    names.length = 0;
    kinds.length = 0;
    for (const { name, kind } of folder.entries()) {
      names.push(name);
      kinds.push(kind);
    }
  }
  return { names, kinds };
}
