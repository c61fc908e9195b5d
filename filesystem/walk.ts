import { type ByteString, joinParts, splitParts } from './byte-string.ts';
import { EntryErrors } from './entry-errors.ts';
import { folderFailure } from './file-error.ts';
import type { Folder } from './folder.ts';
import { Kind } from './kind.ts';
import type { Root } from './root.ts';
import type { Slices } from './slices.ts';

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

export interface WalkOptions {
  readonly root: Root;
  readonly start: readonly ByteString[];
  /** Whether names that start with a dot are seen, and their folders entered. */
  readonly hidden: boolean;
  readonly slices: Slices;
  /** Called once for every entry below the start, in no order. */
  readonly visit: (path: ByteString, name: ByteString, kind: Kind) => void;
}

/**
 * Visits a whole tree, without recursion and with a bounded number of descriptors. What vanishes meanwhile is left out.
 * @returns the folders that could not be read
 * @throws FileError when the start cannot be opened or read, as `Root.open` does
 */
export async function walk(options: WalkOptions): Promise<EntryErrors> {
  const { root, slices } = options;
  const errors = new EntryErrors();
  const levels: Level[] = [];

  const enter = async (folder: Folder) => {
    const far = levels.at(-maxHeld);
    far?.folder?.[Symbol.dispose]();
    if (far !== undefined) far.folder = undefined;
    const level: Level = { path: folder.path, folder, subfolders: [] };
    levels.push(level);
    await readLevel(folder, level.subfolders, options);
  };

  try {
    const start = root.open(options.start);
    await enter(start).catch((error) => {
      throw folderFailure(start.path, error);
    });
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.subfolders.pop();
      if (name === undefined) {
        level.folder?.[Symbol.dispose]();
        levels.pop();
        continue;
      }
      const path = joinParts(level.path, name);
      try {
        if (path.length > maxPathBytes) throw tooLong();
        level.folder ??= root.open(splitParts(level.path));
        await enter(level.folder.open(name));
      } catch (error) {
        errors.note(path, error);
      }
      if (slices.over()) await slices.next();
    }
    return errors;
  } finally {
    for (const level of levels) level.folder?.[Symbol.dispose]();
  }
}

async function readLevel(folder: Folder, subfolders: ByteString[], options: WalkOptions): Promise<void> {
  const entries = await folder.read(options.slices, (name) => options.hidden || !name.startsWith('.'));
  for (const { name, kind } of entries) {
    options.visit(joinParts(folder.path, name), name, kind);
    if (kind === Kind.FOLDER) subfolders.push(name);
    if (options.slices.over()) await options.slices.next();
  }
}

function tooLong(): NodeJS.ErrnoException {
  return Object.assign(new Error('ENAMETOOLONG: path too long'), { code: 'ENAMETOOLONG', syscall: 'open' });
}
