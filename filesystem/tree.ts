import { type ByteString, joinParts, splitParts } from './byte-string.ts';
import type { EntryErrors } from './entry-errors.ts';
import { folderFailure } from './file-error.ts';
import type { Folder, Named } from './folder.ts';
import { Kind } from './kind.ts';
import type { Root } from './root.ts';

/** Maximum descriptors that one walk keeps open. */
const maxHeld = 64;
/** PATH_MAX: no program can open a longer path. */
const maxPathBytes = 4096;

/** A folder between the walk's start and the current folder. */
interface Level {
  readonly path: ByteString;
  /** Undefined once closed to save descriptors; reopened by path when it has subfolders left. */
  folder: Folder | undefined;
  readonly subfolders: ByteString[];
}

export interface TreeOptions {
  readonly root: Root;
  readonly start: readonly ByteString[];
  /** Whether to include names that start with a dot and enter such folders. */
  readonly hidden: boolean;
  /** Number of levels: 1 lists the start's own entries; `Infinity` is unbounded. */
  readonly depth: number;
  /** Receives the folders below the start that could not be read. */
  readonly errors: EntryErrors;
}

/** An entry and its folder, which stays open until the next entry is taken. */
export interface FoundEntry extends Named {
  readonly folder: Folder;
}

/**
 * Yields every entry below a folder, folder by folder in directory order, reading as they are consumed.
 *
 * The walk is not recursive, keeps a bounded number of descriptors open, and holds only folder names in memory.
 * Entries that vanish meanwhile are skipped. It yields undefined before each folder, so that a caller that slices its
 * work can check the time.
 * @throws FileError as `Root.open` does, when the start cannot be opened or read
 */
export function* entriesBelow(options: TreeOptions): Generator<FoundEntry | undefined> {
  const { root, hidden, depth, errors } = options;
  const levels: Level[] = [];

  function* enter(folder: Folder): Generator<FoundEntry> {
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
