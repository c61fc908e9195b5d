import { type ByteString, joinParts, splitParts } from './byte-string.ts';
import type { EntryErrors } from './entry-errors.ts';
import { folderFailure } from './file-error.ts';
import type { Folder, Named } from './folder.ts';
import { Kind } from './kind.ts';
import type { Root } from './root.ts';

/** Descriptors that one walk holds at most. */
const maxHeld = 64;
/** PATH_MAX: what lies deeper no other program can name either. */
const maxPathBytes = 4096;

/** A folder on the way from the walk's start to where it is. */
interface Level {
  readonly path: ByteString;
  /** Undefined when it was closed for being far up; it is opened again, by its path, if anything is left to do there. */
  folder: Folder | undefined;
  readonly subfolders: ByteString[];
}

export interface TreeOptions {
  readonly root: Root;
  readonly start: readonly ByteString[];
  /** Whether names that start with a dot are seen, and their folders entered. */
  readonly hidden: boolean;
  /** How many levels down: 1 is the start's own entries, `Infinity` is no bound. */
  readonly depth: number;
  /** Gets the folders below the start that could not be read. */
  readonly errors: EntryErrors;
}

/** An entry, and the folder that it was found in, which is open until the next entry is taken. */
export interface Found extends Named {
  readonly folder: Folder;
}

/**
 * Every entry below a folder, folder by folder and as each has them, read as they are taken: without recursion, with a
 * bounded number of descriptors, and holding names of folders only. What vanishes meanwhile is left out. Undefined
 * comes before every folder: nothing was found, but time went by, and whoever cuts this into slices may want to know.
 * @throws FileError when the start cannot be opened or read, as `Root.open` does
 */
export function* entriesBelow(options: TreeOptions): Generator<Found | undefined> {
  const { root, hidden, depth, errors } = options;
  const levels: Level[] = [];

  function* enter(folder: Folder): Generator<Found> {
    const far = levels.at(-maxHeld);
    far?.folder?.[Symbol.dispose]();
    if (far !== undefined) far.folder = undefined;
    const { path } = folder;
    const subfolders: ByteString[] = [];
    levels.push({ path, folder, subfolders });
    const goesOn = levels.length < depth;
    for (const { name, kind } of folder.entries()) {
      if (!hidden && name.startsWith('.')) continue;
      if (goesOn && kind === Kind.FOLDER) subfolders.push(name);
      yield { folder, name, kind };
    }
  }

  try {
    const start = root.open(options.start);
    try {
      yield* enter(start);
    } catch (error) {
      throw folderFailure(start.path, error);
    }
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.subfolders.pop();
      if (name === undefined) {
        level.folder?.[Symbol.dispose]();
        levels.pop();
        continue;
      }
      yield undefined;
      const path = joinParts(level.path, name);
      try {
        if (path.length > maxPathBytes) throw tooLong();
        level.folder ??= root.open(splitParts(level.path));
        yield* enter(level.folder.open(name));
      } catch (error) {
        errors.note(path, error);
      }
    }
  } finally {
    for (const level of levels) level.folder?.[Symbol.dispose]();
  }
}

function tooLong(): NodeJS.ErrnoException {
  return Object.assign(new Error('ENAMETOOLONG: path too long'), { code: 'ENAMETOOLONG', syscall: 'open' });
}
