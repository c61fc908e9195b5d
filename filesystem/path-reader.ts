import { type ByteString, folderOf, lastPart } from './byte-string.ts';
import { type Entry, entryOf } from './entry.ts';
import type { Folder, Stats } from './folder.ts';
import { FolderChain } from './folder-chain.ts';
import type { Root } from './root.ts';

/** Reads entries by path. Consecutive paths mostly share a folder, or its ancestors, so these stay open. */
export class PathReader implements Disposable {
  readonly #chain: FolderChain;
  #folder: Folder | undefined;

  constructor(root: Root) {
    this.#chain = new FolderChain(root);
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
   * @throws as `FolderChain.open` does, and the errors of lstat
   */
  read(path: ByteString, known?: Stats): { readonly entry: Entry; readonly stats: Stats } {
    const folder = this.#open(folderOf(path));
    const name = lastPart(path);
    const stats = known ?? folder.lstat(name);
    return { entry: entryOf(folder, name, stats), stats };
  }

  [Symbol.dispose](): void {
    this.#folder = undefined;
    this.#chain[Symbol.dispose]();
  }

  #open(path: ByteString): Folder {
    if (this.#folder?.path === path) return this.#folder;
    this.#folder = undefined;
    this.#folder = this.#chain.open(path);
    return this.#folder;
  }
}
