import { type FolderNumber, rootFolder } from './api.ts';
import type { ReadView } from './read-view.ts';
import { maxNameBytes, type Segment } from './segment.ts';

const slash = 0x2f;
const scratch = Buffer.alloc(maxNameBytes + 1);
/** Everything in a folder comes before the bound, or after it. */
const before = -1;
const behind = -2;

/**
 * Compares many entries with one path. Entries mostly come folder by folder, and the folder's path mostly decides for
 * all of them.
 */
export class PathBound {
  readonly #path: Buffer;
  readonly #view: ReadView;
  #folder: FolderNumber = -1;
  /** Results of `#meet` for the current folder and its ancestors. */
  #met = before;
  readonly #known = new Map<FolderNumber, number>();

  constructor(view: ReadView, path: Buffer) {
    this.#view = view;
    this.#path = path;
  }

  /** Compares an entry with the bound; negative when the entry comes first, in byte order of paths. */
  compare(segment: Segment, slot: number): number {
    const folder = segment.parents[slot] ?? rootFolder;
    if (folder !== this.#folder) {
      this.#folder = folder;
      this.#met = this.#meet(folder);
    }
    if (this.#met === before) return -1;
    if (this.#met === behind) return 1;
    return this.#compareFrom(this.#met, segment, slot);
  }

  /** Compares the last names only. */
  compareName(segment: Segment, slot: number): number {
    return this.#compareFrom(this.#path.lastIndexOf(slash) + 1, segment, slot);
  }

  #compareFrom(start: number, segment: Segment, slot: number): number {
    const length = segment.copyName(slot, scratch);
    return scratch.compare(this.#path, start, this.#path.length, 0, length);
  }

  /**
   * Returns on which side everything in a folder is; or, when the folder's path with a `/` is a prefix of the bound,
   * its length. It follows from the parent's result: mostly one lookup, and only near the bound a name is compared.
   */
  #meet(folder: FolderNumber): number {
    if (folder === rootFolder) return 0;
    const { index } = this.#view;
    const parent = index.folderParent(folder);
    let above = this.#known.get(parent);
    if (above === undefined) {
      above = this.#meet(parent);
      this.#known.set(parent, above);
    }
    if (above < 0) return above;
    const length = index.copyFolderName(folder, scratch);
    scratch[length] = slash;
    // A folder's path that is longer than the bound is after it, as in `compare`.
    const end = Math.min(this.#path.length, above + length + 1);
    const side = scratch.compare(this.#path, above, end, 0, length + 1);
    if (side === 0) return end;
    return side < 0 ? before : behind;
  }
}
