import { type ByteString, splitParts } from './byte-string.ts';
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
   * @param known what lstat said of it, when it was asked already
   * @throws what `Root.open` and lstat throw
   */
  read(path: ByteString, known?: Stats): { readonly entry: Entry; readonly stats: Stats } {
    const parts = splitParts(path);
    const name = parts.pop() ?? ('' as ByteString);
    const folder = this.#open(parts);
    const stats = known ?? folder.lstat(name);
    return { entry: entryOf(folder, name, stats), stats };
  }

  [Symbol.dispose](): void {
    this.#folder?.[Symbol.dispose]();
    this.#folder = undefined;
  }

  #open(parts: readonly ByteString[]): Folder {
    const path = parts.join('/');
    if (this.#folder?.path === path) return this.#folder;
    this[Symbol.dispose]();
    this.#folder = this.#root.open(parts);
    return this.#folder;
  }
}
