import type { ByteString } from './byte-string.ts';
import type { Folder } from './folder.ts';
import type { Root } from './root.ts';
import { sharedLevels } from './shared-levels.ts';

/** Number of levels above the current folder that stay open. */
const near = 32;
/** Every level at a multiple of this depth stays open, so that a closed one is reopened from nearby. */
const stride = 64;

/**
 * Opens folders by path and keeps ancestors of the last one open, because consecutive paths mostly share them.
 * Paths in the order of a walk take about two system calls each, however deep they are, and at most 70 descriptors.
 *
 * No folder below the requested one stays open, so entries read in a folder are never older than the descriptors
 * that lead to its subfolders.
 */
export class FolderChain implements Disposable {
  readonly #root: Root;
  #path = '' as ByteString;
  /** Length of the path of each level: the root, then one level per part of the path. */
  #ends: number[] = [];
  /** Open folders by level; undefined once closed to save descriptors. */
  #held: (Folder | undefined)[] = [];

  constructor(root: Root) {
    this.#root = root;
  }

  /**
   * Opens a folder, which stays open until the next call.
   * @throws FileError when the root cannot be opened, and system errors for folders below it
   */
  open(path: ByteString): Folder {
    this.#cut(sharedLevels(this.#path, this.#ends, path));
    while (this.#held.length > 0 && this.#held.at(-1) === undefined) this.#cut(this.#held.length - 1);
    this.#path = path;
    let folder = this.#held.at(-1) ?? this.#hold(this.#root.open([]), 0);
    for (let end = this.#ends.at(-1) ?? 0; end < path.length; ) {
      const from = end === 0 ? 0 : end + 1;
      const slash = path.indexOf('/', from);
      end = slash === -1 ? path.length : slash;
      folder = this.#hold(folder.open(path.slice(from, end) as ByteString), end);
    }
    return folder;
  }

  [Symbol.dispose](): void {
    this.#cut(0);
  }

  #hold(folder: Folder, end: number): Folder {
    const distant = this.#held.length - near;
    this.#held.push(folder);
    this.#ends.push(end);
    if (distant > 0 && distant % stride !== 0) {
      this.#held[distant]?.[Symbol.dispose]();
      this.#held[distant] = undefined;
    }
    return folder;
  }

  #cut(levels: number): void {
    this.#ends.length = Math.min(this.#ends.length, levels);
    while (this.#held.length > levels) this.#held.pop()?.[Symbol.dispose]();
  }
}
