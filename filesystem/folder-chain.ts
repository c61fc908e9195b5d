import { type ByteString, splitParts } from './byte-string.ts';
import type { Folder } from './folder.ts';
import type { Root } from './root.ts';

/** Descriptors that one chain holds at most. */
const maxHeld = 64;

/**
 * Opens folders by their paths, and keeps the way to the last one open, because those that come one after the other
 * mostly share it. Nothing is kept open beyond the folder that was asked for, so what is read in a folder is never older
 * than the way to its subfolders.
 */
export class FolderChain implements Disposable {
  readonly #root: Root;
  #parts: readonly ByteString[] = [];
  /** The root, and one per part; undefined for those far up, which were closed. */
  #held: (Folder | undefined)[] = [];

  constructor(root: Root) {
    this.#root = root;
  }

  /**
   * The folder stays open until the next call.
   * @throws FileError when the root cannot be opened, and the system's errors for what lies below
   */
  open(path: ByteString): Folder {
    const parts = splitParts(path);
    let shared = 0;
    while (shared < parts.length && shared < this.#parts.length && parts[shared] === this.#parts[shared])
      shared++;
    this.#cut(shared + 1);
    this.#parts = parts;
    // From the deepest that is open still; none when it was closed for being far up, or nothing was opened yet.
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
