import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { sep } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { type ByteString, toPath } from './byte-string.ts';

/** An entered folder: its address for system calls, and the descriptor that holds it, if any. */
export interface FolderHandle {
  readonly address: ByteString;
  /** Returns the metadata of the folder itself. */
  stat(): BigIntStats;
  /**
   * Makes the folder the process's working directory, so that an entry's name alone is its address: resolving the
   * path through the descriptor costs twice the access itself.
   *
   * Returns a function that restores the previous directory; call it in the same turn of the event loop. Returns
   * undefined when the directory cannot change, as in a worker thread.
   */
  chdir(): (() => void) | undefined;
  close(): void;
}

/**
 * Opens folders from the root downwards, one part at a time, never through a link. Methods throw system errors. Links
 * in the root's own configured path are followed.
 */
export interface Jail {
  enterRoot(root: ByteString): FolderHandle;
  /** Enters a subfolder. `name` is one part and not `..`; a link fails with ENOTDIR, wherever it points. */
  enter(root: ByteString, parent: FolderHandle, name: ByteString): FolderHandle;
}

// open(2): with O_PATH an ancestor needs only search permission, as in any path. Node's constants lack it.
const O_PATH = 0o10000000;

/**
 * The jail on Linux: each part is opened relative to its parent's descriptor, so a concurrent rename or link swap
 * cannot lead outside. `/proc/self/fd/N/name` is Node's equivalent of openat(2). O_DIRECTORY with O_NOFOLLOW rejects
 * links, and rejects FIFOs without waiting for a writer.
 */
export const heldJail: Jail = {
  enterRoot: (root) =>
    held(openSync(toPath(root), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK)),
  enter: (_root, parent, name) =>
    held(
      openSync(
        toPath(`${parent.address}/${name}` as ByteString),
        O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW,
      ),
    ),
};

function held(descriptor: number): FolderHandle {
  return {
    address: `/proc/self/fd/${descriptor}` as ByteString,
    stat: () => fstatSync(descriptor, { bigint: true }),
    chdir: () => chdirTo(`/proc/self/fd/${descriptor}`),
    close: () => closeSync(descriptor),
  };
}

function chdirTo(address: string): (() => void) | undefined {
  if (!isMainThread) return undefined;
  try {
    const before = process.cwd();
    process.chdir(address);
    return () => returnTo(before);
  } catch {
    // The folder has no search permission, or the current directory is gone. Accessing the entries reports the error.
    return undefined;
  }
}

/** Falls back to `/`, so that the process does not keep a served folder busy as its working directory. */
function returnTo(before: string): void {
  try {
    process.chdir(before);
  } catch {
    process.chdir('/');
  }
}

/**
 * The jail on other systems: compares the folder's real path with the root's. Unlike on Linux, a race remains between
 * the check and the next call.
 */
export const comparedJail: Jail = {
  enterRoot: (root) => compared(folderAt(realPath(root))),
  enter: (root, parent, name) => {
    const address = `${parent.address}/${name}` as ByteString;
    const real = realPath(folderAt(address));
    if (!isInside(realPath(root), real)) throw notFolder();
    return compared(real);
  },
};

function folderAt(address: ByteString): ByteString {
  if (!lstatSync(toPath(address)).isDirectory()) throw notFolder();
  return address;
}

function compared(address: ByteString): FolderHandle {
  return {
    address,
    stat: () => lstatSync(toPath(address), { bigint: true }),
    // The address is only a path and may not be valid text.
    chdir: () => undefined,
    close: () => undefined,
  };
}

function notFolder(): NodeJS.ErrnoException {
  return Object.assign(new Error('ENOTDIR: not a directory'), { code: 'ENOTDIR', syscall: 'open' });
}

/**
 * Returns the real path of an existing entry. On Linux the kernel gives that of a descriptor at once. realpath(3) looks
 * up every part from the beginning: the time of a link grows with the square of its depth (measured: 36 ms of processor
 * time at 800 levels, 190 ms at 1,600).
 */
export function realPath(path: ByteString): ByteString {
  if (nativeJail !== heldJail) return realpathSync.native(toPath(path), 'latin1') as ByteString;
  const descriptor = openSync(toPath(path), O_PATH);
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`, 'latin1') as ByteString;
  } finally {
    closeSync(descriptor);
  }
}

/** Returns whether a real path is the root or below it. `/srv/files-2` is not inside `/srv/files`. */
export function isInside(root: ByteString, path: ByteString): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}

export const nativeJail: Jail =
  process.platform === 'linux' && existsSync('/proc/self/fd') ? heldJail : comparedJail;
