import { type ByteString, splitParts } from './byte-string.ts';
import type { Folder } from './folder.ts';
import type { Root } from './root.ts';

/** Maximum descriptors that one chain keeps open. */
const maxHeld = 64;

/**
 * Opens folders by path and keeps the ancestors of the last one open, because consecutive paths mostly share them.
 *
 * No folder below the requested one stays open, so entries read in a folder are never older than the descriptors
 * that lead to its subfolders.
 */
export class FolderChain implements Disposable {
  readonly #root: Root;
  #parts: readonly ByteString[] = [];
  /** Open folders by depth: the root, then one per part. Distant ancestors are closed and undefined. */
  #held: (Folder | undefined)[] = [];

  constructor(root: Root) {
    this.#root = root;
  }

  /**
   * Opens a folder, which stays open until the next call.
   * @throws FileError when the root cannot be opened, and system errors for folders below it
   */
  open(path: ByteString): Folder {
    const parts = splitParts(path);
    let shared = 0;
    while (shared < parts.length && shared < this.#parts.length && parts[shared] === this.#parts[shared])
      shared++;
    this.#cut(shared + 1);
    this.#parts = parts;
    // Continue from the deepest open folder; restart at the root when that one was closed.
    let depth = this.#held.length - 1;
    let folder = this.#held[depth];
    if (folder === undefined) {
      this.#cut(0);
      depth = 0;
      folder = this.#hold(this.#root.open([]), 0);
    }
    try {
      for (; depth < parts.length; depth++) {
        folder = this.#hold(folder.open(parts[depth] as ByteString), depth + 1);
      }
    } catch (error) {
      this.#parts = parts.slice(0, depth);
      throw error;
    }
    return folder;
  }

  [Symbol.dispose](): void {
    this.#cut(0);
    this.#parts = [];
  }

  #hold(folder: Folder, depth: number): Folder {
    this.#held[depth] = folder;
    this.#held[depth - maxHeld]?.[Symbol.dispose]();
    if (depth >= maxHeld) this.#held[depth - maxHeld] = undefined;
    return folder;
  }

  #cut(length: number): void {
    while (this.#held.length > length) this.#held.pop()?.[Symbol.dispose]();
  }
}
