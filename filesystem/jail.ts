import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  realpathSync,
} from 'node:fs';
import { sep } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { type ByteString, toPath } from './byte-string.ts';

/** A folder that was entered: how system calls name it, and the descriptor that holds it, if there is one. */
export interface Place {
  readonly address: ByteString;
  /** Of the folder itself. */
  stat(): BigIntStats;
  /**
   * Makes it the process's working directory, so that a name alone leads to an entry: what a system call spends on the way
   * by the descriptor is twice what it spends on the entry. Gives what returns to where the process was, which must be
   * called in the same turn of the event loop; undefined when it cannot be done, as in a thread.
   */
  stand(): (() => void) | undefined;
  leave(): void;
}

/**
 * The way from the root to a folder, part by part, never through a link. Errors are the system's. Which link an
 * operator put in the root's own path is no business of the jail: that one is followed.
 */
export interface Jail {
  enterRoot(root: ByteString): Place;
  /** `name` is one part, and not `..`. A link is ENOTDIR, wherever it points. */
  enter(root: ByteString, place: Place, name: ByteString): Place;
}

// open(2): with O_PATH an ancestor needs only the permission to be passed through, as in any path. Not in Node's constants.
const O_PATH = 0o10000000;

/**
 * Linux: every part is opened beneath the descriptor of its parent, so whatever is renamed or replaced by a link
 * meanwhile, the way cannot lead out. `/proc/self/fd/N/name` is how Node spells openat(2). O_DIRECTORY with O_NOFOLLOW refuses links,
 * and FIFOs without waiting for a writer.
 */
export const heldJail: Jail = {
  enterRoot: (root) =>
    held(openSync(toPath(root), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK)),
  enter: (_root, place, name) =>
    held(
      openSync(
        toPath(`${place.address}/${name}` as ByteString),
        O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW,
      ),
    ),
};

function held(descriptor: number): Place {
  return {
    address: `/proc/self/fd/${descriptor}` as ByteString,
    stat: () => fstatSync(descriptor, { bigint: true }),
    stand: () => standIn(`/proc/self/fd/${descriptor}`),
    leave: () => closeSync(descriptor),
  };
}

function standIn(address: string): (() => void) | undefined {
  if (!isMainThread) return undefined;
  try {
    const before = process.cwd();
    process.chdir(address);
    return () => returnTo(before);
  } catch {
    // Without the permission to pass through it, or where we were is gone: its entries say so themselves, if so.
    return undefined;
  }
}

/** No folder that is served is to be held by standing in it. */
function returnTo(before: string): void {
  try {
    process.chdir(before);
  } catch {
    process.chdir('/');
  }
}

/** Elsewhere: the real path is compared with the root's. Between this and the next call there is a gap, unlike on Linux. */
export const comparedJail: Jail = {
  enterRoot: (root) => compared(folderAt(realPath(root))),
  enter: (root, place, name) => {
    const address = `${place.address}/${name}` as ByteString;
    const real = realPath(folderAt(address));
    if (!isInside(realPath(root), real)) throw notFolder();
    return compared(real);
  },
};

function folderAt(address: ByteString): ByteString {
  if (!lstatSync(toPath(address)).isDirectory()) throw notFolder();
  return address;
}

function compared(address: ByteString): Place {
  return {
    address,
    stat: () => lstatSync(toPath(address), { bigint: true }),
    // Its address is no surer than a path, and may not be text.
    stand: () => undefined,
    leave: () => undefined,
  };
}

function notFolder(): NodeJS.ErrnoException {
  return Object.assign(new Error('ENOTDIR: not a directory'), { code: 'ENOTDIR', syscall: 'open' });
}

export function realPath(path: ByteString): ByteString {
  return realpathSync.native(toPath(path), 'latin1') as ByteString;
}

/** Whether a real path is the root's or below it. `/srv/files-2` is not inside `/srv/files`. */
export function isInside(root: ByteString, path: ByteString): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}

export const nativeJail: Jail =
  process.platform === 'linux' && existsSync('/proc/self/fd') ? heldJail : comparedJail;
