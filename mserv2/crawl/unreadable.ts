import { type ByteString, joinParts, toBytes, toText } from '../../filesystem/byte-string.ts';
import type { EntryError } from '../../filesystem/entry-errors.ts';
import type { FolderNumber } from '../index/api.ts';
import type { MemoryIndex } from '../index/memory-index.ts';

/** Errors of one answer at most. */
const maxErrors = 1000;

/** The folders and entries that cannot be read now, by folder. */
export class Unreadable {
  readonly #index: MemoryIndex;
  readonly #folders = new Map<FolderNumber, string>();
  readonly #entries = new Map<FolderNumber, Map<ByteString, string>>();

  constructor(index: MemoryIndex) {
    this.#index = index;
  }

  /** Returns the system's code of the error that reading the folder ended with. */
  of(folder: FolderNumber): string | undefined {
    return this.#folders.get(folder);
  }

  setFolder(folder: FolderNumber, errno: string): void {
    this.forget(folder);
    this.#folders.set(folder, errno);
  }

  setEntry(folder: FolderNumber, name: ByteString, errno: string): void {
    const names = this.#entries.get(folder);
    if (names === undefined) this.#entries.set(folder, new Map([[name, errno]]));
    else if (names.size < maxErrors) names.set(name, errno);
  }

  /** Returns whether a folder has entries that `clearEntry` could remove. */
  hasEntries(folder: FolderNumber): boolean {
    return this.#entries.has(folder);
  }

  clearEntry(folder: FolderNumber, name: ByteString): void {
    const names = this.#entries.get(folder);
    if (names?.delete(name) === true && names.size === 0) this.#entries.delete(folder);
  }

  /** Forgets a folder that was read or is gone. */
  forget(folder: FolderNumber): void {
    this.#folders.delete(folder);
    this.#entries.delete(folder);
  }

  /**
   * Returns the errors in a folder and below, by path and in no order; with that of a folder above, if it cannot be
   * read and so keeps the folder out of the index.
   * @param hidden whether hidden entries, and entries of folders that are hidden below the start, are included
   */
  below(start: ByteString, hidden: boolean): EntryError[] {
    const errors: EntryError[] = [];
    const push = (path: ByteString, codigo: string): void => {
      const { text, exact } = toText(path);
      errors.push({ ruta: text, codigo, rutaBytes: exact ? undefined : toBytes(path) });
    };
    const add = (path: ByteString, codigo: string): void => {
      if (errors.length >= maxErrors || !isBelow(start, path)) return;
      if (!hidden && /(?:^|\/)\./.test(path.slice(start === '' ? 0 : start.length + 1))) return;
      push(path, codigo);
    };
    const way = this.#index.deepestFolder(start);
    const errno = this.#folders.get(way);
    const path = this.#index.folderPath(way);
    if (errno !== undefined && path !== start) push(path, errno);
    for (const [folder, errno] of this.#folders) add(this.#index.folderPath(folder), errno);
    for (const [folder, names] of this.#entries) {
      const path = this.#index.folderPath(folder);
      for (const [name, errno] of names) add(joinParts(path, name), errno);
    }
    return errors;
  }
}

function isBelow(start: ByteString, path: ByteString): boolean {
  return start === '' || path === start || path.startsWith(`${start}/`);
}
