import { setImmediate as turn } from 'node:timers/promises';
import { type ByteString, splitParts } from './byte-string.ts';
import { tellsChanges } from './change-events.ts';
import { dateOf } from './entry.ts';
import { errnoOf, FileError } from './file-error.ts';
import type { Folder } from './folder.ts';
import type { Root } from './root.ts';
import { WatchNode } from './watch-tree.ts';
import { FolderWatches, itself, type WatchesOptions } from './watches.ts';

/** Why a folder cannot be watched: there is no room for more watches, or its file system does not tell of changes. */
export type Unwatchable = 'limit' | 'no-events';

export interface WatchedFoldersOptions extends Pick<WatchesOptions<WatchNode>, 'capacity'> {
  readonly root: Root;
  /** How many folders are watched at most, those on the way and subfolders included; the system may allow fewer. */
  readonly limit: number;
  /** Folders whose entries may not be what they were, or of which nobody will be told any more. */
  readonly onChange: (paths: ReadonlySet<ByteString>) => void;
  /** The same of all folders. Nothing is watched any more. */
  readonly onOverflow: () => void;
  readonly onUnwatchable: (path: ByteString, why: Unwatchable) => void;
  /** Whether a file system tells of every change; by default by its type. */
  readonly tellsChanges?: (folder: Folder) => boolean;
}

/** A reading that began when its folder was watched already. */
export interface Reading {
  readonly path: ByteString;
  readonly since: number;
}

/** An entry of a reading that is a folder, with the date that was read. */
export interface Subfolder {
  readonly name: ByteString;
  readonly mtimeMs: number | undefined;
}

/** More would cost more than they are worth: each is a watch. */
const maxSubfolders = 64;

/**
 * Watches all that the listing of a folder depends on: the folder; the way to it, because a folder that is moved, or may
 * not be passed through any more, makes no event in those below it; and its subfolders, whose dates the listing shows and
 * which change without an event in the folder itself. When the limit is reached, the folder that was asked for least
 * recently goes.
 */
export class WatchedFolders {
  readonly #options: WatchedFoldersOptions;
  readonly #watches: FolderWatches<WatchNode>;
  readonly #tellsChanges: (folder: Folder) => boolean;
  /** By device. */
  readonly #telling = new Map<bigint, boolean>();
  /** The least recently asked for is the first. */
  readonly #kept = new Set<WatchNode>();
  #top: WatchNode | undefined;
  #rootIdentity = '';
  #count = 0;

  constructor(options: WatchedFoldersOptions) {
    this.#options = options;
    this.#tellsChanges = options.tellsChanges ?? tellsChanges;
    this.#watches = new FolderWatches<WatchNode>({
      onChanges: (changes) => this.#changed(changes),
      onOverflow: () => this.#forgetAll(),
      ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
    });
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#watches.size;
  }

  /**
   * Watches a folder from now on. Read it after this call, and nothing is missed.
   * @returns undefined when it cannot be watched, or cannot be opened
   */
  watch(parts: readonly ByteString[]): Reading | undefined {
    const node = this.#find(parts) ?? this.#watchWay(parts);
    if (node === undefined) return undefined;
    node.kept = true;
    this.#kept.delete(node);
    this.#kept.add(node);
    return { path: node.path, since: ++this.#count };
  }

  /**
   * Watches the subfolders that a reading has shown, as far as they are not yet.
   * @returns whether all that was read of them is still so, and changes will be told
   */
  watchSubfolders({ path, since }: Reading, shown: readonly Subfolder[]): boolean {
    const node = this.#find(splitParts(path));
    if (node === undefined || !node.kept || shown.length > maxSubfolders) return false;
    // What another reading has begun to watch since may have changed between ours and that.
    const unsure = shown.filter(({ name }) => !((node.children.get(name)?.since ?? since) < since));
    if (unsure.length === 0) return true;
    return this.#trying(() => {
      using folder = this.#options.root.open(splitParts(path));
      return unsure.every(({ name, mtimeMs }) => {
        using subfolder = folder.open(name);
        const child = node.children.get(name) ?? this.#add(node, name, subfolder);
        return child !== undefined && dateOf(subfolder.stat().mtimeNs)?.getTime() === mtimeMs;
      });
    });
  }

  /** Resolves when all that had happened before the call is told. */
  async settle(): Promise<void> {
    // After the next round of the event loop: this one may have looked for events already.
    await turn();
    await turn();
    this.#watches.flush();
    this.#checkRoot();
  }

  /** Watches nothing any more, and tells of nothing. */
  close(): void {
    this.#watches.closeAll();
    this.#kept.clear();
    this.#top = undefined;
  }

  #find(parts: readonly ByteString[]): WatchNode | undefined {
    let node = this.#top;
    for (const part of parts) node = node?.children.get(part);
    return node;
  }

  /** Every folder is opened after the watch of the one above it began, so that it cannot be exchanged unnoticed. */
  #watchWay(parts: readonly ByteString[]): WatchNode | undefined {
    let deepest: WatchNode | undefined;
    this.#trying(() => {
      let folder = this.#options.root.open([]);
      try {
        let node = this.#top ?? this.#add(undefined, '' as ByteString, folder);
        for (const part of parts) {
          if (node === undefined) break;
          deepest = node;
          using parent = folder;
          folder = parent.open(part);
          node = node.children.get(part) ?? this.#add(node, part, folder);
        }
        deepest = node ?? deepest;
        return true;
      } finally {
        folder[Symbol.dispose]();
      }
    });
    const found = this.#find(parts);
    if (found === undefined && deepest !== undefined) this.#prune(deepest);
    return found;
  }

  #add(parent: WatchNode | undefined, name: ByteString, folder: Folder): WatchNode | undefined {
    const node = new WatchNode(parent, name, ++this.#count);
    const { dev, ino } = folder.stat();
    const telling = this.#telling.get(dev) ?? this.#tellsChanges(folder);
    this.#telling.set(dev, telling);
    if (!telling) {
      this.#options.onUnwatchable(node.path, 'no-events');
      return undefined;
    }
    // It has its place before there is room: nobody must take the folders on the way to it for idle.
    if (parent === undefined) {
      this.#top = node;
      this.#rootIdentity = `${dev}:${ino}`;
    } else parent.children.set(name, node);
    if (this.#makeRoom(parent) && this.#watches.open(node, folder)) return node;
    this.#remove(node);
    this.#options.onUnwatchable(node.path, 'limit');
    return undefined;
  }

  /** For a folder below `parent`, which itself must stay. */
  #makeRoom(parent: WatchNode | undefined): boolean {
    const told = new Set<ByteString>();
    for (const node of this.#kept) {
      if (this.#watches.size < this.#options.limit) break;
      if (node !== parent) this.#let(node, told);
    }
    this.#tell(told);
    return this.#watches.size < this.#options.limit;
  }

  /** Keeps a folder no more. It is still watched where others need that. */
  #let(node: WatchNode, told: Set<ByteString>): void {
    node.kept = false;
    this.#kept.delete(node);
    told.add(node.path);
    for (const child of [...node.children.values()]) this.#prune(child);
    this.#prune(node);
  }

  /** Ends the watch of a folder, and of those above it, as far as nobody needs them. */
  #prune(node: WatchNode): void {
    for (let at: WatchNode | undefined = node; at?.idle; at = at.parent) this.#remove(at);
  }

  #remove(node: WatchNode): void {
    this.#watches.close(node);
    this.#kept.delete(node);
    if (node.parent === undefined) this.#top = undefined;
    else node.parent.children.delete(node.name);
  }

  #changed(changes: ReadonlyMap<WatchNode, ReadonlySet<ByteString | undefined>>): void {
    const told = new Set<ByteString>();
    for (const [node, names] of changes) {
      if (!this.#watches.has(node)) continue;
      if (node.kept) told.add(node.path);
      // Its date is in the listing of the folder above.
      if (node.parent?.kept) told.add(node.parent.path);
      // What was moved, deleted or may not be read any more: another folder may be in its place.
      if (names.has(itself) || names.has(undefined)) this.#drop(node, told);
      else for (const name of names) this.#drop(node.children.get(name as ByteString), told);
    }
    this.#tell(told);
  }

  #drop(node: WatchNode | undefined, told: Set<ByteString>): void {
    if (node === undefined) return;
    for (const each of node.all()) {
      if (each.kept) told.add(each.path);
      this.#watches.close(each);
      this.#kept.delete(each);
    }
    this.#remove(node);
    if (node.parent !== undefined) this.#prune(node.parent);
  }

  #tell(paths: ReadonlySet<ByteString>): void {
    if (paths.size > 0) this.#options.onChange(paths);
  }

  /** Among what was lost may be that a folder is gone: then its watch is deaf, and nobody could tell. */
  #forgetAll(): void {
    this.close();
    this.#options.onOverflow();
  }

  /** Above it nothing is watched, and its path may lead over links: it is another one without an event. */
  #checkRoot(): void {
    if (this.#top === undefined) return;
    const same = this.#trying(() => {
      using root = this.#options.root.open([]);
      const { dev, ino } = root.stat();
      return `${dev}:${ino}` === this.#rootIdentity;
    });
    if (!same) this.#forgetAll();
  }

  /** False when the system says no: whoever reads the folder will say how. */
  #trying(attempt: () => boolean): boolean {
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof FileError) && errnoOf(error) === undefined) throw error;
      return false;
    }
  }
}
