import { type ByteString, joinParts } from './byte-string.ts';
import type { EntryErrors } from './entry-errors.ts';
import { folderFailure } from './file-error.ts';
import type { Folder, Named } from './folder.ts';
import { FolderChain } from './folder-chain.ts';
import { Kind } from './kind.ts';
import type { Root } from './root.ts';

/** PATH_MAX: no program can open a longer path. */
const maxPathBytes = 4096;

/** A folder between the walk's start and the current folder. */
interface Level {
  readonly path: ByteString;
  /** Names of the subfolders that are still to be walked. */
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
  using chain = new FolderChain(root);

  function* enter(path: ByteString): Generator<FoundEntry> {
    if (path.length > maxPathBytes) throw tooLong();
    const folder = chain.open(path);
    const subfolders: ByteString[] = [];
    levels.push({ path, subfolders });
    const goesOn = levels.length < depth;
    for (const { name, kind } of folder.entries()) {
      if (!hidden && name.startsWith('.')) continue;
      if (goesOn && kind === Kind.FOLDER) subfolders.push(name);
      yield { folder, name, kind };
    }
  }

  const start = options.start.join('/') as ByteString;
  try {
    yield* enter(start);
  } catch (error) {
    throw folderFailure(start, error);
  }
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const name = level.subfolders.pop();
    if (name === undefined) {
      levels.pop();
      continue;
    }
    yield undefined;
    const path = joinParts(level.path, name);
    try {
      yield* enter(path);
    } catch (error) {
      errors.note(path, error);
    }
  }
}

function tooLong(): NodeJS.ErrnoException {
  return Object.assign(new Error('ENAMETOOLONG: path too long'), { code: 'ENAMETOOLONG', syscall: 'open' });
}
