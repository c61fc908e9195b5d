import { setImmediate as turn } from 'node:timers/promises';
import { type ByteString, splitParts } from './byte-string.ts';
import { tellsChanges } from './change-events.ts';
import { dateOf } from './entry.ts';
import { errnoOf, FileError } from './file-error.ts';
import type { Folder } from './folder.ts';
import { MountTable } from './mount-table.ts';
import type { Root } from './root.ts';
import { Unwatchable } from './unwatchable.ts';
import { WatchNode } from './watch-tree.ts';
import { FolderWatches, itself, type WatchesOptions } from './watches.ts';

export interface WatchedFoldersOptions extends Pick<WatchesOptions<WatchNode>, 'capacity'> {
  readonly root: Root;
  /** Maximum watched folders, including ancestors and subfolders; the system may allow fewer. */
  readonly limit: number;
  /** Called with the folders whose entries may have changed, or that are no longer watched. */
  readonly onChange: (paths: ReadonlySet<ByteString>) => void;
  /** Called when any folder may have changed. No folder is watched afterwards. */
  readonly onOverflow: () => void;
  readonly onUnwatchable: (path: ByteString, why: Unwatchable) => void;
  /** Whether the folder's file system reports every change; by default decided by its type. */
  readonly tellsChanges?: (folder: Folder) => boolean;
}

/** A reading of a folder, begun after the folder's watch. */
export interface WatchedReading {
  readonly path: ByteString;
  readonly since: number;
}

/** A subfolder found by a reading, with the modification time that was read. */
export interface Subfolder {
  readonly name: ByteString;
  readonly mtimeMs: number | undefined;
}

/** A folder with more subfolders is not cached: each subfolder needs a watch. */
const maxSubfolders = 64;

/**
 * Watches every folder that a listing depends on:
 * - the folder itself;
 * - its ancestors, because moving one or removing its search permission raises no event below it;
 * - its subfolders, whose modification times the listing shows and which change without an event in the folder.
 *
 * At the limit, the least recently requested folder is dropped.
 */
export class WatchedFolders {
  readonly #options: WatchedFoldersOptions;
  readonly #watches: FolderWatches<WatchNode>;
  readonly #tellsChanges: (folder: Folder) => boolean;
  readonly #mountTable: MountTable;
  /** Whether changes are reported, by device number. */
  readonly #telling = new Map<bigint, boolean>();
  /** Requested folders, least recently requested first. */
  readonly #kept = new Set<WatchNode>();
  #top: WatchNode | undefined;
  #rootIdentity = '';
  #count = 0;

  constructor(options: WatchedFoldersOptions) {
    this.#options = options;
    this.#tellsChanges = options.tellsChanges ?? tellsChanges;
    this.#mountTable = new MountTable(options.root.path);
    this.#watches = new FolderWatches<WatchNode>({
      onChanges: (changes) => this.#changed(changes),
      onOverflow: () => this.#forgetAll(),
      ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
    });
  }

  get size(): number {
    return this.#watches.size;
  }

  /**
   * Watches a folder. A reading that begins after this call misses no change.
   * @returns undefined when the folder cannot be watched or opened
   */
  watch(parts: readonly ByteString[]): WatchedReading | undefined {
    const node = this.#find(parts) ?? this.#watchWay(parts);
    if (node === undefined) return undefined;
    node.kept = true;
    this.#kept.delete(node);
    this.#kept.add(node);
    return { path: node.path, since: ++this.#count };
  }

  /**
   * Watches those subfolders of a reading that are not watched yet.
   * @returns whether the reading is still current and later changes will be reported
   */
  watchSubfolders({ path, since }: WatchedReading, shown: readonly Subfolder[]): boolean {
    // With a file system mounted meanwhile, the reading was of another folder than the watch.
    this.#checkMounts();
    const node = this.#find(splitParts(path));
    if (node === undefined || !node.kept || shown.length > maxSubfolders) return false;
    // A subfolder that another reading began to watch after ours may have changed in between.
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

  /** Resolves when every change made before the call is reported. */
  async settle(): Promise<void> {
    // Wait two rounds: the current round may have polled for events already.
    await turn();
    await turn();
    this.#watches.flush();
    this.#checkMounts();
    this.#checkRoot();
  }

  /** Ends all watches without reporting anything. */
  close(): void {
    this.#watches.closeAll();
    this.#kept.clear();
    this.#top = undefined;
    // A device number may be another file system's later.
    this.#telling.clear();
  }

  #find(parts: readonly ByteString[]): WatchNode | undefined {
    let node = this.#top;
    for (const part of parts) node = node?.children.get(part);
    return node;
  }

  /** Opens each folder after its parent's watch began, so that it cannot be replaced unnoticed. */
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
      this.#options.onUnwatchable(node.path, Unwatchable.NO_EVENTS);
      return undefined;
    }
    // The node is attached before room is made: otherwise its ancestors would count as idle and be dropped.
    if (parent === undefined) {
      this.#top = node;
      this.#rootIdentity = `${dev}:${ino}`;
    } else parent.children.set(name, node);
    if (this.#makeRoom(parent) && this.#watches.open(node, folder)) return node;
    this.#remove(node);
    this.#options.onUnwatchable(node.path, Unwatchable.LIMIT);
    return undefined;
  }

  /** Drops requested folders until one more watch fits. `parent` must stay. */
  #makeRoom(parent: WatchNode | undefined): boolean {
    const told = new Set<ByteString>();
    for (const node of this.#kept) {
      if (this.#watches.size < this.#options.limit) break;
      if (node !== parent) this.#let(node, told);
    }
    this.#tell(told);
    return this.#watches.size < this.#options.limit;
  }

  /** Releases a requested folder. It stays watched while other folders need it. */
  #let(node: WatchNode, told: Set<ByteString>): void {
    node.kept = false;
    this.#kept.delete(node);
    told.add(node.path);
    for (const child of [...node.children.values()]) this.#prune(child);
    this.#prune(node);
  }

  /** Ends the watches of a folder and of its ancestors that are no longer needed. */
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
      // The parent's listing shows this folder's modification time.
      if (node.parent?.kept) told.add(node.parent.path);
      // The folder was moved or deleted, or became unreadable: another one may be in its place.
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

  /** A lost event may have been a folder's removal. Its watch would then stay silent for ever, so all are closed. */
  #forgetAll(): void {
    this.close();
    this.#options.onOverflow();
  }

  /** Detects mounts: a watch stays with the folder that a mount covers. */
  #checkMounts(): void {
    if (this.#mountTable.changes().length > 0) this.#forgetAll();
  }

  /** Detects a replaced root: nothing above the root is watched and its path may contain links, so no event says so. */
  #checkRoot(): void {
    if (this.#top === undefined) return;
    const same = this.#trying(() => {
      using root = this.#options.root.open([]);
      const { dev, ino } = root.stat();
      return `${dev}:${ino}` === this.#rootIdentity;
    });
    if (!same) this.#forgetAll();
  }

  /** Returns false on a system error; reading the folder will report it. */
  #trying(attempt: () => boolean): boolean {
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof FileError) && errnoOf(error) === undefined) throw error;
      return false;
    }
  }
}
