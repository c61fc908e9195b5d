import { type BigIntStats, lstatSync, opendirSync, readdirSync } from 'node:fs';
import { type ByteString, joinParts, toPath } from './byte-string.ts';
import { errnoOf } from './file-error.ts';
import type { Jail, Place } from './jail.ts';
import { Kind, kindOf } from './kind.ts';
import type { Slices } from './slices.ts';

/** An entry as the folder itself tells it, before any lstat. */
export interface Named {
  readonly name: ByteString;
  readonly kind: Kind;
}

/** An open folder inside the root. All that is done with its entries goes through it. Errors are the system's. */
export class Folder implements Disposable {
  /** The root's own path, as configured. */
  readonly root: ByteString;
  /** Below the root; the root's own is empty. */
  readonly path: ByteString;
  readonly #jail: Jail;
  readonly #place: Place;

  constructor(jail: Jail, root: ByteString, path: ByteString, place: Place) {
    this.#jail = jail;
    this.#place = place;
    this.root = root;
    this.path = path;
  }

  /** Opens a folder in this one; ENOTDIR for a link. `name` is one part of a path. */
  open(name: ByteString): Folder {
    const place = this.#jail.enter(this.root, this.#place, name);
    return new Folder(this.#jail, this.root, joinParts(this.path, name), place);
  }

  lstat(name: ByteString): BigIntStats {
    return lstatSync(toPath(this.addressOf(name)), { bigint: true });
  }

  /** What a system call takes to reach an entry while this folder is open. Never to be shown. */
  addressOf(name: ByteString): ByteString {
    return `${this.#place.address}/${name}` as ByteString;
  }

  /** The entries that `keep` wants, in the folder's own order. */
  async read(slices: Slices, keep: (name: ByteString, kind: Kind) => boolean): Promise<Named[]> {
    try {
      return await this.#readTyped(slices, keep);
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      return await this.#readUntyped(slices, keep);
    }
  }

  [Symbol.dispose](): void {
    this.#place.leave();
  }

  async #readTyped(slices: Slices, keep: (name: ByteString, kind: Kind) => boolean): Promise<Named[]> {
    const kept: Named[] = [];
    using directory = opendirSync(this.#place.address, { encoding: 'latin1', bufferSize: 256 });
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const name = entry.name as ByteString;
      const kind = kindOf(entry);
      if (keep(name, kind)) kept.push({ name, kind });
      if (slices.over()) await slices.next();
    }
    return kept;
  }

  /**
   * For file systems that do not tell types (d_type is DT_UNKNOWN). Node then makes an lstat of its own in mid-read,
   * and one entry that has vanished, or whose name is not ASCII (it takes our latin1 for text), ends the whole read.
   */
  async #readUntyped(slices: Slices, keep: (name: ByteString, kind: Kind) => boolean): Promise<Named[]> {
    const kept: Named[] = [];
    for (const name of readdirSync(toPath(this.#place.address), 'latin1') as ByteString[]) {
      const kind = this.#kindByLstat(name);
      if (kind !== undefined && keep(name, kind)) kept.push({ name, kind });
      if (slices.over()) await slices.next();
    }
    return kept;
  }

  #kindByLstat(name: ByteString): Kind | undefined {
    try {
      return kindOf(this.lstat(name));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined) throw error;
      return errno === 'ENOENT' ? undefined : Kind.OTHER;
    }
  }
}
