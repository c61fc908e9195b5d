import { type ByteString, folderOf, lastPart, splitParts } from './byte-string.ts';
import { type Entry, entryOf } from './entry.ts';
import type { Folder, Stats } from './folder.ts';
import type { Root } from './root.ts';

/** Reads entries by their paths. Paths that come in order mostly share a folder, so the last one stays open. */
export class PathReader implements Disposable {
  readonly #root: Root;
  #folder: Folder | undefined;

  constructor(root: Root) {
    this.#root = root;
  }

  /**
   * Runs what reads many entries, synchronously; quicker for those in the folder of `path`.
   * @throws what `work` throws
   */
  near<Result>(path: ByteString, work: () => Result): Result {
    let folder: Folder;
    try {
      folder = this.#open(folderOf(path));
    } catch {
      // Whoever reads in it is told.
      return work();
    }
    return folder.within(work);
  }

  /**
   * @param known what lstat said of it, when it was asked already
   * @throws what `Root.open` and lstat throw
   */
  read(path: ByteString, known?: Stats): { readonly entry: Entry; readonly stats: Stats } {
    const folder = this.#open(folderOf(path));
    const name = lastPart(path);
    const stats = known ?? folder.lstat(name);
    return { entry: entryOf(folder, name, stats), stats };
  }

  [Symbol.dispose](): void {
    this.#folder?.[Symbol.dispose]();
    this.#folder = undefined;
  }

  #open(path: ByteString): Folder {
    if (this.#folder?.path === path) return this.#folder;
    this[Symbol.dispose]();
    this.#folder = this.#root.open(splitParts(path));
    return this.#folder;
  }
}
