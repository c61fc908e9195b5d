import { type ByteString, fromBytes, joinParts } from '../../filesystem/byte-string.ts';
import type { Kind } from '../../filesystem/kind.ts';
import { type EntryId, type FolderListing, type FolderNumber, noEntry, rootFolder } from './api.ts';
import { isDead, kindIn } from './facts.ts';
import { FolderPaths } from './folder-paths.ts';
import { FolderTable } from './folder-table.ts';
import { hashName, type NamedEntries, NameTable } from './name-table.ts';
import { maxNameBytes, Segment } from './segment.ts';

export interface IndexOptions {
  /** Entries in a segment, a power of 2. Tests have small ones. */
  readonly segmentEntries?: number;
}

const scratch = Buffer.alloc(maxNameBytes);

/**
 * Holds the entries of an index in segments, with its folders and its table of names. An entry's id is the number of
 * its segment and its place there. `MemoryIndex` adds the operations on it; queries read the segments themselves.
 */
export class EntryStore implements NamedEntries {
  /** Number of entries. */
  entries = 0;
  /** Number of changes so far. */
  changes = 0;
  readonly segmentEntries: number;
  readonly shift: number;
  readonly segments: Segment[] = [];
  readonly tree = new FolderTable();
  readonly table = new NameTable(this);
  protected readonly paths = new FolderPaths(this);
  /** The read views that are open, by the epoch since which they must find removed folders. */
  readonly readViews = new Set<{ readonly since: number }>();
  #tail = 0;

  constructor({ segmentEntries = 1 << 14 }: IndexOptions = {}) {
    this.segmentEntries = segmentEntries;
    this.shift = Math.log2(segmentEntries);
  }

  hashOf(entry: EntryId): number {
    const length = this.segmentOf(entry).copyName(this.placeOf(entry), scratch);
    return hashName(this.parentOf(entry), scratch, 0, length);
  }

  segmentOf(entry: EntryId): Segment {
    return this.segments[entry >>> this.shift] as Segment;
  }

  placeOf(entry: EntryId): number {
    return entry & (this.segmentEntries - 1);
  }

  factsOf(entry: EntryId): number {
    return this.segmentOf(entry).facts[this.placeOf(entry)] ?? 0;
  }

  kindOf(entry: EntryId): Kind {
    return kindIn(this.factsOf(entry));
  }

  nameOf(entry: EntryId): ByteString {
    const length = this.segmentOf(entry).copyName(this.placeOf(entry), scratch);
    return fromBytes(scratch.subarray(0, length));
  }

  parentOf(entry: EntryId): FolderNumber {
    return this.segmentOf(entry).parents[this.placeOf(entry)] ?? rootFolder;
  }

  /** Returns the folder number of an entry that is a folder. */
  folderOf(entry: EntryId): FolderNumber {
    return this.segmentOf(entry).sizes[this.placeOf(entry)] ?? rootFolder;
  }

  pathOf(entry: EntryId): ByteString {
    return joinParts(this.folderPath(this.parentOf(entry)), this.nameOf(entry));
  }

  /** Returns a folder's path below the root, which is empty for the root. */
  folderPath(folder: FolderNumber): ByteString {
    return this.paths.pathOf(folder);
  }

  /** Returns a folder's parent; the root's is the root. */
  folderParent(folder: FolderNumber): FolderNumber {
    return this.tree.parents[folder] ?? rootFolder;
  }

  /** Returns a folder's entry in its parent; `noEntry` for the root. */
  folderEntry(folder: FolderNumber): EntryId {
    return folder === rootFolder ? noEntry : (this.tree.entries[folder] ?? noEntry);
  }

  /** Writes a folder's name to the start of `target`. @returns how many bytes */
  copyFolderName(folder: FolderNumber, target: Buffer): number {
    const entry = this.folderEntry(folder);
    return this.segmentOf(entry).copyName(this.placeOf(entry), target);
  }

  /**
   * Returns the number of a folder's own entries. When a listing has as many and all were found, none is left over.
   */
  childCount(folder: FolderNumber): number {
    return this.tree.children[folder] ?? 0;
  }

  /**
   * Returns a folder's entries in the order of `put`. Fast when they were put in a row; at worst 1 ms per million
   * entries.
   */
  children(folder: FolderNumber): EntryId[] {
    const found: EntryId[] = [];
    const { first, last, children } = this.tree;
    const end = (last[folder] ?? 0) + 1;
    const count = children[folder] ?? 0;
    let entry = first[folder] ?? 0;
    while (entry < end && found.length < count) {
      const base = entry - this.placeOf(entry);
      const { parents, facts, count: places } = this.segmentOf(entry);
      const until = Math.min(end - base, places);
      for (let place = entry - base; place < until; place++) {
        if (parents[place] === folder && ((facts[place] ?? 0) & isDead) === 0) found.push(base + place);
      }
      entry = base + this.segmentEntries;
    }
    return found;
  }

  /** Returns whether an entry is in a folder and has the name in `names` from `from` to before `to`. */
  isNamed(entry: EntryId, folder: FolderNumber, bytes: Buffer, from: number, to: number): boolean {
    const segment = this.segmentOf(entry);
    const place = this.placeOf(entry);
    if (segment.parents[place] !== folder || segment.isDead(place)) return false;
    return segment.isNamed(place, bytes, from, to);
  }

  /**
   * Adds an entry to the table of names. Drops the entry when the folder has another one of that name: some file
   * systems list a file twice.
   * @returns whether it was added
   */
  list(entry: EntryId): boolean {
    const segment = this.segmentOf(entry);
    const place = this.placeOf(entry);
    if (segment.isDead(place)) return false;
    const folder = this.parentOf(entry);
    const length = segment.copyName(place, scratch);
    const hash = hashName(folder, scratch, 0, length);
    const there = this.table.find(folder, scratch, 0, length, hash);
    if (there === entry) return false;
    if (there === noEntry) {
      this.table.add(entry, hash);
      return true;
    }
    segment.kill(place);
    this.tree.children[folder] = this.childCount(folder) - 1;
    this.entries--;
    this.changes++;
    return false;
  }

  /**
   * Appends as many entries of a listing as fit in one segment.
   * @returns the first entry, their count, and the begin of the next name
   */
  protected appendTo(
    folder: FolderNumber,
    listing: FolderListing,
    from: number,
    first: number,
    until: number,
  ): { readonly entry: EntryId; readonly count: number; readonly end: number } {
    if (!this.tree.isLive(folder)) throw new RangeError(`There is no folder ${folder}`);
    const tail = this.#roomyTail();
    const segment = this.segments[tail] as Segment;
    const entry = tail * this.segmentEntries + segment.count;
    const count = Math.min(until - first, this.segmentEntries - segment.count);
    const end = segment.append(listing, from, first, first + count, folder);
    if (segment.count === this.segmentEntries) segment.trim();
    this.tree.noteChildren(folder, entry, count);
    this.entries += count;
    this.changes += count;
    return { entry, count, end };
  }

  protected addFolder(parent: FolderNumber, entry: EntryId): FolderNumber {
    const number = this.tree.add(entry, parent);
    this.segmentOf(entry).sizes[this.placeOf(entry)] = number;
    return number;
  }

  /** Returns the segment for new entries: the same until it is full, then the emptiest one, or a new one. */
  #roomyTail(): number {
    if ((this.segments[this.#tail]?.count ?? this.segmentEntries) < this.segmentEntries) return this.#tail;
    let tail = this.segments.length;
    let least = this.segmentEntries / 2;
    for (const [number, segment] of this.segments.entries()) {
      if (segment.count < least) {
        tail = number;
        least = segment.count;
      }
    }
    // The first segment starts small. Further ones do not: growing leaves holes in the heap.
    if (tail === 0) this.segments.push(new Segment());
    else if (tail === this.segments.length) {
      const last = this.segments[tail - 1] as Segment;
      this.segments.push(new Segment(this.segmentEntries, Math.ceil(last.namesEnd * 1.1)));
    }
    this.#tail = tail;
    return tail;
  }
}
