import { type ByteString, joinParts } from '../../filesystem/byte-string.ts';
import { sharedLevels } from '../../filesystem/shared-levels.ts';
import { type EntryId, type FolderNumber, rootFolder } from './api.ts';
import type { FolderTable } from './folder-table.ts';

export interface NamedFolders {
  readonly tree: FolderTable;
  nameOf(entry: EntryId): ByteString;
}

/**
 * Converts between folders and paths. Keeps the levels of the last path: consecutive paths mostly share them, and in a
 * deep tree each path would take as long as hundreds of names.
 */
export class FolderPaths {
  readonly #index: NamedFolders;
  #path = '' as ByteString;
  /** The folders of the last path, the root first, and the length of the path of each. */
  readonly #folders: FolderNumber[] = [rootFolder];
  readonly #ends: number[] = [0];
  readonly #levels = new Map<FolderNumber, number>([[rootFolder, 1]]);
  #releases = 0;

  constructor(index: NamedFolders) {
    this.#index = index;
  }

  /** Returns a folder's path. A removed folder has one until its number is released. */
  pathOf(folder: FolderNumber): ByteString {
    this.#forgetReleased();
    const { tree } = this.#index;
    const below: FolderNumber[] = [];
    let at = folder;
    for (; !this.#levels.has(at); at = tree.parents[at] ?? rootFolder) below.push(at);
    this.#cut(this.#levels.get(at) ?? 1);
    for (let next = below.pop(); next !== undefined; next = below.pop()) {
      this.#enter(next, this.#index.nameOf(tree.entries[next] ?? 0));
    }
    return this.#path;
  }

  /**
   * Follows a path as far as its folders are in the index.
   * @param find returns the subfolder of a name; undefined when there is none
   */
  follow(
    path: ByteString,
    find: (folder: FolderNumber, name: ByteString) => FolderNumber | undefined,
  ): { readonly folder: FolderNumber; readonly isWhole: boolean } {
    this.#forgetReleased();
    this.#cut(sharedLevels(this.#path, this.#ends, path));
    while (!this.#index.tree.isLive(this.#last)) this.#cut(this.#folders.length - 1);
    while (this.#path.length < path.length) {
      const from = this.#path === '' ? 0 : this.#path.length + 1;
      const slash = path.indexOf('/', from);
      const name = path.slice(from, slash === -1 ? path.length : slash) as ByteString;
      const below = find(this.#last, name);
      if (below === undefined) return { folder: this.#last, isWhole: false };
      this.#enter(below, name);
    }
    return { folder: this.#last, isWhole: true };
  }

  get #last(): FolderNumber {
    return this.#folders.at(-1) ?? rootFolder;
  }

  /** A released number may be another folder's by now. */
  #forgetReleased(): void {
    const { releases } = this.#index.tree;
    if (releases !== this.#releases) this.#cut(1);
    this.#releases = releases;
  }

  #enter(folder: FolderNumber, name: ByteString): void {
    this.#path = joinParts(this.#path, name);
    this.#folders.push(folder);
    this.#ends.push(this.#path.length);
    this.#levels.set(folder, this.#folders.length);
  }

  /** Keeps so many levels. */
  #cut(levels: number): void {
    while (this.#folders.length > levels) {
      this.#levels.delete(this.#folders.pop() ?? rootFolder);
      this.#ends.pop();
    }
    this.#path = this.#path.slice(0, this.#ends.at(-1)) as ByteString;
  }
}
