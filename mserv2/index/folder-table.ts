import { type EntryId, type FolderNumber, noEntry, rootFolder } from './api.ts';

const free = 0;
const live = 1;
/** Removed, but entries or running queries may still refer to it. */
const dead = 2;

/** The folders, by number, as columns. */
export class FolderTable {
  /** Upper bound of folder numbers. */
  limit = 0;
  /** Number of folders. */
  count = 0;
  /** Number of removals so far. */
  epoch = 0;
  /** Number of releases so far. */
  releases = 0;
  entries = new Uint32Array(0);
  parents = new Uint32Array(0);
  /** Bounds of a folder's entries, with others among them. `first` is above `last` for an empty folder. */
  first = new Uint32Array(0);
  last = new Uint32Array(0);
  /** Number of a folder's entries, and of those that are folders. */
  children = new Uint32Array(0);
  subfolders = new Uint32Array(0);
  stamps = new BigInt64Array(0);
  #states = new Uint8Array(0);
  readonly #free: FolderNumber[] = [];
  #removed: FolderNumber[] = [];

  constructor() {
    this.add(noEntry, rootFolder);
  }

  bytesUsed(): number {
    const columns = [this.entries, this.parents, this.first, this.last, this.children, this.subfolders];
    return (
      columns.reduce((sum, column) => sum + column.byteLength, 0) +
      this.stamps.byteLength +
      this.#states.byteLength
    );
  }

  isLive(folder: FolderNumber): boolean {
    return this.#states[folder] === live;
  }

  isDead(folder: FolderNumber): boolean {
    return this.#states[folder] === dead;
  }

  add(entry: EntryId, parent: FolderNumber): FolderNumber {
    const number = this.#free.pop() ?? this.limit;
    this.addAs(number, entry, parent);
    if (number !== rootFolder) this.subfolders[parent] = (this.subfolders[parent] ?? 0) + 1;
    return number;
  }

  /** Adds a folder with a given number. Call `settle` after the last one. */
  addAs(number: FolderNumber, entry: EntryId, parent: FolderNumber): void {
    if (number >= this.entries.length) this.#grow(Math.max(16, number + 1, this.entries.length * 2));
    this.limit = Math.max(this.limit, number + 1);
    this.entries[number] = entry;
    this.parents[number] = parent;
    this.first[number] = 0xffff_ffff;
    this.last[number] = 0;
    this.children[number] = 0;
    this.subfolders[number] = 0;
    this.stamps[number] = 0n;
    this.#states[number] = live;
    this.count++;
  }

  /**
   * After `addAs`: drops the folders whose ancestors do not lead to the root, and collects the free numbers.
   */
  settle(): void {
    const onWay = 1;
    const settled = 2;
    const judged = new Uint8Array(this.limit);
    judged[rootFolder] = settled;
    const way: FolderNumber[] = [];
    for (let number = 0; number < this.limit; number++) {
      let at = number;
      for (; this.isLive(at) && judged[at] === 0; at = this.parents[at] ?? rootFolder) {
        judged[at] = onWay;
        way.push(at);
      }
      // A circle of parents does not lead to the root either.
      const isReached = this.isLive(at) && judged[at] === settled;
      for (let below = way.pop(); below !== undefined; below = way.pop()) {
        judged[below] = settled;
        if (isReached) continue;
        this.#states[below] = free;
        this.count--;
      }
    }
    for (let number = 0; number < this.limit; number++) if (!this.isLive(number)) this.#free.push(number);
  }

  /** Counts entries, from that one on, as the folder's. */
  noteChildren(folder: FolderNumber, entry: EntryId, count: number): void {
    const last = entry + count - 1;
    this.children[folder] = (this.children[folder] ?? 0) + count;
    if (entry < (this.first[folder] ?? 0)) this.first[folder] = entry;
    if (last > (this.last[folder] ?? 0)) this.last[folder] = last;
  }

  /** Removes a folder and all below it. @returns their numbers */
  remove(folder: FolderNumber): FolderNumber[] {
    const gone = this.withBelow(folder);
    const parent = this.parents[folder] ?? rootFolder;
    this.subfolders[parent] = (this.subfolders[parent] ?? 0) - 1;
    for (const number of gone) {
      this.#states[number] = dead;
      this.#removed.push(number);
    }
    this.count -= gone.length;
    this.epoch++;
    return gone;
  }

  /** Returns the folders removed since the last call; each must be released once nothing refers to it. */
  takeRemoved(): FolderNumber[] {
    const taken = this.#removed;
    this.#removed = [];
    return taken;
  }

  release(folder: FolderNumber): void {
    this.#states[folder] = free;
    this.#free.push(folder);
    this.releases++;
  }

  /** Returns a folder and all below it, in no order. */
  withBelow(folder: FolderNumber): FolderNumber[] {
    if (this.subfolders[folder] === 0) return [folder];
    // Numbers say nothing about depth, so each folder is judged by its ancestors, and the result is kept.
    const below = 1;
    const aside = 2;
    const judged = new Uint8Array(this.limit);
    judged[folder] = below;
    judged[rootFolder] ||= aside;
    const found = [folder];
    const way: FolderNumber[] = [];
    for (let number = 0; number < this.limit; number++) {
      if (!this.isLive(number)) continue;
      let at = number;
      for (; judged[at] === 0; at = this.parents[at] ?? rootFolder) way.push(at);
      for (let last = way.pop(); last !== undefined; last = way.pop()) {
        judged[last] = judged[at] ?? aside;
        if (judged[at] === below) found.push(last);
      }
    }
    return found;
  }

  #grow(length: number): void {
    const wide = (from: Uint32Array) => {
      const to = new Uint32Array(length);
      to.set(from);
      return to;
    };
    this.entries = wide(this.entries);
    this.parents = wide(this.parents);
    this.first = wide(this.first);
    this.last = wide(this.last);
    this.children = wide(this.children);
    this.subfolders = wide(this.subfolders);
    const stamps = new BigInt64Array(length);
    stamps.set(this.stamps);
    this.stamps = stamps;
    const states = new Uint8Array(length);
    states.set(this.#states);
    this.#states = states;
  }
}
