import { type ByteString, folderOf, lastPart, splitParts } from './byte-string.ts';
import { type Entry, entryOf } from './entry.ts';
import type { Folder, Stats } from './folder.ts';
import type { Root } from './root.ts';

/** Reads entries by path. Consecutive paths mostly share a folder, so the last folder stays open. */
export class PathReader implements Disposable {
  readonly #root: Root;
  #folder: Folder | undefined;

  constructor(root: Root) {
    this.#root = root;
  }

  /**
   * Runs synchronous work that reads many entries; entries in the folder of `path` are read faster.
   * @throws what `work` throws
   */
  near<Result>(path: ByteString, work: () => Result): Result {
    let folder: Folder;
    try {
      folder = this.#open(folderOf(path));
    } catch {
      // Reading an entry reports the error.
      return work();
    }
    return folder.within(work);
  }

  /**
   * Reads one entry.
   * @param known the lstat result, if it is known already
   * @throws as `Root.open` and lstat do
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
