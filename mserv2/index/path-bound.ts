import { toBytes } from '../../filesystem/byte-string.ts';
import { type FolderNumber, rootFolder } from './api.ts';
import type { Reading } from './reading.ts';
import { maxNameBytes, type Segment } from './segment.ts';

const slash = 0x2f;
const scratch = Buffer.alloc(maxNameBytes);

/**
 * A path that many entries are compared with. Entries mostly come folder by folder, and mostly the folder's path tells
 * already on which side all that it holds is.
 */
export class PathBound {
  readonly #path: Buffer;
  readonly #reading: Reading;
  #folder: FolderNumber = -1;
  /** Of the folder's path with a `/`, when neither is the beginning of the other; else 0. */
  #side = 0;
  /** How much of the path is the folder's path with a `/`, when `#side` is 0. */
  #shared = 0;

  constructor(reading: Reading, path: Buffer) {
    this.#reading = reading;
    this.#path = path;
  }

  /** Negative when the entry comes first, in byte order of paths. */
  compare(segment: Segment, slot: number): number {
    const folder = segment.parents[slot] ?? rootFolder;
    if (folder !== this.#folder) this.#meet(folder);
    if (this.#side !== 0) return this.#side;
    return this.#compareFrom(this.#shared, segment, slot);
  }

  /** The same of the last names only. */
  compareName(segment: Segment, slot: number): number {
    return this.#compareFrom(this.#path.lastIndexOf(slash) + 1, segment, slot);
  }

  #compareFrom(start: number, segment: Segment, slot: number): number {
    const length = segment.copyName(slot, scratch);
    return scratch.compare(this.#path, start, this.#path.length, 0, length);
  }

  #meet(folder: FolderNumber): void {
    const path = this.#reading.index.folderPath(folder);
    const prefix = folder === rootFolder ? Buffer.alloc(0) : toBytes(path);
    const withSlash = folder === rootFolder ? prefix : Buffer.concat([prefix, Buffer.of(slash)]);
    this.#folder = folder;
    this.#shared = withSlash.length;
    // A folder's path that goes on where `path` ends is behind it: `compare` says so too.
    this.#side = withSlash.compare(this.#path, 0, Math.min(this.#path.length, withSlash.length));
  }
}
