import { type BigIntStats, lstatSync, opendirSync } from 'node:fs';
import { type ByteString, fromBytes, joinParts, toPath } from './byte-string.ts';
import type { Jail, Place } from './jail.ts';
import { Kind, kindOf } from './kind.ts';

/** An entry as the folder itself tells it, before any lstat. */
export interface Named {
  readonly name: ByteString;
  readonly kind: Kind;
}

/** What lstat tells of an entry, as far as it is shown. Node's own object is ten times as large. */
export interface Stats {
  readonly kind: Kind;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  /** A file with another name elsewhere, by which it can be written without an event in this folder. */
  readonly hardLinked: boolean;
}

/** An open folder inside the root. All that is done with its entries goes through it. Errors are the system's. */
export class Folder implements Disposable {
  /** The root's own path, as configured. */
  readonly root: ByteString;
  /** Below the root; the root's own is empty. */
  readonly path: ByteString;
  readonly #jail: Jail;
  readonly #place: Place;
  /** What goes before an entry's name. */
  #way: ByteString;

  constructor(jail: Jail, root: ByteString, path: ByteString, place: Place) {
    this.#jail = jail;
    this.#place = place;
    this.#way = `${place.address}/` as ByteString;
    this.root = root;
    this.path = path;
  }

  /** Opens a folder in this one; ENOTDIR for a link. `name` is one part of a path. */
  open(name: ByteString): Folder {
    const place = this.#jail.enter(this.root, this.#place, name);
    return new Folder(this.#jail, this.root, joinParts(this.path, name), place);
  }

  /** Of the folder itself. */
  stat(): BigIntStats {
    return this.#place.stat();
  }

  lstat(name: ByteString): Stats {
    const stats = lstatSync(toPath(this.addressOf(name)), { bigint: true });
    const kind = kindOf(stats);
    const hardLinked = stats.nlink > 1n && kind !== Kind.FOLDER;
    return { kind, size: stats.size, mtimeNs: stats.mtimeNs, hardLinked };
  }

  /** Runs what asks for many of this folder's entries, synchronously: they are found in a third of the time meanwhile. */
  within<Result>(work: () => Result): Result {
    const goBack = this.#place.stand();
    if (goBack === undefined) return work();
    const way = this.#way;
    this.#way = '' as ByteString;
    try {
      return work();
    } finally {
      this.#way = way;
      goBack();
    }
  }

  /** What a system call takes to reach an entry, now, while this folder is open. Never to be shown. */
  addressOf(name: ByteString): ByteString {
    return `${this.#way}${name}` as ByteString;
  }

  /** All entries, in the folder's own order, read as they are taken. */
  *entries(): Generator<Named> {
    let given = 0;
    try {
      const { address } = this.#place;
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
    this.#place.leave();
  }

  /**
   * For file systems that do not tell the types of all entries (d_type is DT_UNKNOWN). Node makes an lstat of its own for
   * those, in mid-read, and an entry that has vanished, or whose name is not ASCII (it takes our latin1 for text), ends the
   * read with the rest of the buffer. So they are read one by one here, as bytes, after the first `given`, which are known.
   */
  *#entriesWithoutTypes(given: number): Generator<Named> {
    const oneByOne = { encoding: 'buffer' as BufferEncoding, bufferSize: 1 };
    using directory = opendirSync(toPath(this.#place.address), oneByOne);
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

/** Node's own lstat failed, or could not be made: it joins no path of bytes with a name of text. */
function isOfTypes(error: unknown): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return ('syscall' in error && error.syscall === 'lstat') || error.code === 'ERR_INVALID_ARG_TYPE';
}
