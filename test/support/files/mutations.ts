import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import fc from 'fast-check';
import { hostileName, inside, outside } from './hostile-tree.ts';

/** A change of a tree. It is skipped where it is impossible: the folder is missing, the name is taken. */
export type Mutation =
  | {
      readonly kind: 'write' | 'truncate' | 'mkdir' | 'link' | 'remove' | 'touch' | 'chmod';
      readonly path: Buffer;
    }
  | { readonly kind: 'rename' | 'swap'; readonly path: Buffer; readonly to: Buffer }
  /** Deletes a folder and creates it again with a file in it; usually it gets the inode that it had. */
  | { readonly kind: 'remake'; readonly path: Buffer; readonly to: Buffer };

/** Paths over few names, so that mutations often meet. */
function places(names: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc
    .array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 })
    .map((parts) => Buffer.from(parts.map((part) => part.toString('latin1')).join('/'), 'latin1'));
}

/** Sequences of mutations over a few names, some of them unusual. */
export const mutations: fc.Arbitrary<Mutation[]> = fc
  .uniqueArray(hostileName, { minLength: 3, maxLength: 5, selector: (name) => name.toString('hex') })
  .chain((names) => {
    const path = places(names);
    const one = fc.record({
      kind: fc.constantFrom(
        'write',
        'write',
        'truncate',
        'mkdir',
        'mkdir',
        'mkdir',
        'link',
        'remove',
        'touch',
        'chmod',
      ),
      path,
    });
    const two = fc.record({ kind: fc.constantFrom('rename', 'rename', 'swap', 'remake'), path, to: path });
    const any: fc.Arbitrary<Mutation> = fc.oneof(
      { weight: 3, arbitrary: one },
      { weight: 1, arbitrary: two },
    ) as never;
    return fc.array(any, { minLength: 5, maxLength: 60 });
  });

let written = 0;
/** O_NONBLOCK: opening a FIFO without a reader would block the whole process. */
const writing = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Applies a mutation, but never through a link, because the target of a link is not the test's to change. */
export function mutate(root: string, mutation: Mutation): void {
  const aside = `${root}/aside`;
  try {
    const at = beneath(root, mutation.path);
    if ('to' in mutation) acts[mutation.kind](at, beneath(root, mutation.to), aside);
    else acts[mutation.kind](at);
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException;
    // EROFS: the path was outside of the tree; only the read-only sandbox of `npm test` prevented the change.
    if (syscall === undefined || code === 'EROFS') throw error;
    rmSync(aside, { recursive: true, force: true });
  }
}

/** Returns the path below the root. Throws ENOTDIR when one of its parents is a link. */
function beneath(root: string, path: Buffer): Buffer {
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    const parent = inside(root, path.subarray(0, end));
    if (!lstatSync(parent).isDirectory()) {
      throw Object.assign(new Error('A parent is not a folder'), { code: 'ENOTDIR', syscall: 'lstat' });
    }
  }
  return inside(root, path);
}

const acts = {
  write(at: Buffer) {
    written += 1;
    const fd = openSync(at, writing | constants.O_CREAT | constants.O_TRUNC);
    try {
      writeSync(fd, 'x'.repeat(written % 100));
    } finally {
      closeSync(fd);
    }
  },
  truncate(at: Buffer) {
    const fd = openSync(at, writing);
    try {
      ftruncateSync(fd, 7);
    } finally {
      closeSync(fd);
    }
  },
  mkdir(at: Buffer) {
    mkdirSync(at);
  },
  link(at: Buffer) {
    symlinkSync(outside(), at);
  },
  remove(at: Buffer) {
    rmSync(at, { recursive: true, force: true });
  },
  touch(at: Buffer) {
    written += 1;
    lutimesSync(at, 1, 1_000_000_000 + (written % 1000));
  },
  chmod(at: Buffer) {
    if (!lstatSync(at).isSymbolicLink()) chmodSync(at, 0o755);
  },
  rename(at: Buffer, to: Buffer) {
    renameSync(at, to);
  },
  swap(at: Buffer, to: Buffer, aside: string) {
    renameSync(at, aside);
    try {
      renameSync(to, at);
    } finally {
      renameSync(aside, to);
    }
  },
  remake(at: Buffer) {
    rmSync(at, { recursive: true });
    mkdirSync(at);
    writeFileSync(Buffer.concat([at, Buffer.from('/rehecho')]), '');
  },
};
