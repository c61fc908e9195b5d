import { type BigIntStats, lstatSync, opendirSync } from 'node:fs';
import { type ByteString, fromBytes, joinParts, toPath } from './byte-string.ts';
import type { FolderHandle, Jail } from './jail.ts';
import { Kind, kindOf } from './kind.ts';

/** A directory entry, before any lstat. */
export interface Named {
  readonly name: ByteString;
  readonly kind: Kind;
}

/** The lstat fields that are used. Node's Stats object is ten times as large. */
export interface Stats {
  readonly kind: Kind;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  /** The file has another hard link: a write through that name raises no event in this folder. */
  readonly hardLinked: boolean;
}

/** An open folder inside the root; its entries are accessed only through it. Methods throw system errors. */
export class Folder implements Disposable {
  /** The root's path, as configured. */
  readonly root: ByteString;
  /** Path relative to the root; empty for the root. */
  readonly path: ByteString;
  readonly #jail: Jail;
  readonly #handle: FolderHandle;
  /** Prefix of an entry's address. */
  #prefix: ByteString;

  constructor(jail: Jail, root: ByteString, path: ByteString, handle: FolderHandle) {
    this.#jail = jail;
    this.#handle = handle;
    this.#prefix = `${handle.address}/` as ByteString;
    this.root = root;
    this.path = path;
  }

  /** Opens a subfolder. `name` is one path part; a link fails with ENOTDIR. */
  open(name: ByteString): Folder {
    const handle = this.#jail.enter(this.root, this.#handle, name);
    return new Folder(this.#jail, this.root, joinParts(this.path, name), handle);
  }

  stat(): BigIntStats {
    return this.#handle.stat();
  }

  lstat(name: ByteString): Stats {
    return statsOf(lstatSync(toPath(this.addressOf(name)), { bigint: true }));
  }

  /**
   * Runs synchronous work that accesses many entries of this folder, with this folder as the working directory: each
   * access takes a third of the time.
   */
  within<Result>(work: () => Result): Result {
    const restore = this.#handle.chdir();
    if (restore === undefined) return work();
    const prefix = this.#prefix;
    this.#prefix = '' as ByteString;
    try {
      return work();
    } finally {
      this.#prefix = prefix;
      restore();
    }
  }

  /**
   * Returns the address of an entry for system calls. It is valid now, while this folder is open; never show it to
   * users.
   */
  addressOf(name: ByteString): ByteString {
    return `${this.#prefix}${name}` as ByteString;
  }

  /** Yields all entries in directory order, reading as they are consumed. */
  *entries(): Generator<Named> {
    let given = 0;
    try {
      const { address } = this.#handle;
      using directory = opendirSync(toPath(address), { encoding: 'latin1', bufferSize: 256 });
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        given++;
        yield { name: entry.name as ByteString, kind: kindOf(entry) };
      }
    } catch (error) {
      if (!isOfTypes(error)) throw error;
      yield* this.#entriesWithoutTypes(given);
    }
  }

  [Symbol.dispose](): void {
    this.#handle.close();
  }

  /**
   * Yields entries on file systems that do not report entry types (d_type is DT_UNKNOWN).
   *
   * There, Node calls lstat itself in the middle of a read. If the entry has vanished, or its name is not ASCII
   * (Node treats our latin1 as text), the read fails and the rest of the buffer is lost. This function reads one
   * entry at a time, as bytes, and skips the first `given` entries, which were already yielded.
   */
  *#entriesWithoutTypes(given: number): Generator<Named> {
    const oneByOne = { encoding: 'buffer' as BufferEncoding, bufferSize: 1 };
    using directory = opendirSync(toPath(this.#handle.address), oneByOne);
    for (let place = 0; ; place++) {
      try {
        const entry = directory.readSync();
        if (entry === null) return;
        const name = fromBytes(entry.name as unknown as Buffer);
        if (place >= given) yield { name, kind: kindOf(entry) };
      } catch (error) {
        if (!isOfTypes(error) || error.code !== 'ENOENT') throw error;
      }
    }
  }
}

export function statsOf(stats: BigIntStats): Stats {
  const kind = kindOf(stats);
  const hardLinked = stats.nlink > 1n && kind !== Kind.FOLDER;
  return { kind, size: stats.size, mtimeNs: stats.mtimeNs, hardLinked };
}

/** Returns whether Node's own lstat failed or could not run: Node does not join a bytes path with a text name. */
function isOfTypes(error: unknown): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return ('syscall' in error && error.syscall === 'lstat') || error.code === 'ERR_INVALID_ARG_TYPE';
}
