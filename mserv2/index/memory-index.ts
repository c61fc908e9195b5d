import { type ByteString, fromBytes, joinParts } from '../../filesystem/byte-string.ts';
import { Kind } from '../../filesystem/kind.ts';
import {
  type EntryId,
  type FileIndex,
  type FolderListing,
  type FolderNumber,
  noEntry,
  rootFolder,
} from './api.ts';
import { hasStats, isDead, kindIn, nanosecondsMask, splitTime } from './facts.ts';
import { FolderTable } from './folder-table.ts';
import { Maintenance } from './maintenance.ts';
import { hashName, type NamedEntries, NameTable } from './name-table.ts';
import type { ReadView } from './read-view.ts';
import { maxNameBytes, Segment } from './segment.ts';
import { Unlisted } from './unlisted.ts';

export interface IndexOptions {
  /** Entries in a segment, a power of 2. Tests have small ones. */
  readonly segmentEntries?: number;
}

const scratch = Buffer.alloc(maxNameBytes);
/** A name that somebody asks for. */
const asked = Buffer.alloc(maxNameBytes);

/**
 * The one FileIndex there is. An entry's id is the number of its segment and its place there. Queries read the segments
 * themselves; whatever else is public here is for the files of this folder.
 */
export class MemoryIndex implements FileIndex, NamedEntries {
  entries = 0;
  changes = 0;
  readonly segmentEntries: number;
  readonly shift: number;
  readonly segments: Segment[] = [];
  readonly tree = new FolderTable();
  readonly table = new NameTable(this);
  readonly unlisted = new Unlisted(this);
  /** Those that are under way. */
  readonly readViews = new Set<ReadView>();
  readonly #maintenance = new Maintenance(this);
  #tail = 0;

  constructor({ segmentEntries = 1 << 14 }: IndexOptions = {}) {
    this.segmentEntries = segmentEntries;
    this.shift = Math.log2(segmentEntries);
  }

  get folders(): number {
    return this.tree.count;
  }

  get folderLimit(): number {
    return this.tree.limit;
  }

  bytesUsed(): number {
    const segments = this.segments.reduce((sum, segment) => sum + segment.bytesUsed(), 0);
    return segments + this.tree.bytesUsed() + this.table.bytesUsed();
  }

  hasFolder(folder: FolderNumber): boolean {
    return this.tree.isLive(folder);
  }

  folderAt(parts: readonly ByteString[]): FolderNumber | undefined {
    let folder = rootFolder;
    for (const part of parts) {
      const entry = this.find(folder, part);
      if (entry === noEntry || this.kindOf(entry) !== Kind.FOLDER) return undefined;
      folder = this.folderOf(entry);
    }
    return folder;
  }

  folderPath(folder: FolderNumber): ByteString {
    return folder === rootFolder ? ('' as ByteString) : this.pathOf(this.folderEntry(folder));
  }

  folderParent(folder: FolderNumber): FolderNumber {
    return this.tree.parents[folder] ?? rootFolder;
  }

  folderEntry(folder: FolderNumber): EntryId {
    return folder === rootFolder ? noEntry : (this.tree.entries[folder] ?? noEntry);
  }

  /** Writes a folder's name to the start of `target`. @returns how many bytes */
  copyFolderName(folder: FolderNumber, target: Buffer): number {
    const entry = this.folderEntry(folder);
    return this.segmentOf(entry).copyName(this.placeOf(entry), target);
  }

  childCount(folder: FolderNumber): number {
    return this.tree.children[folder] ?? 0;
  }

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

  find(folder: FolderNumber, name: ByteString): EntryId {
    if (name.length > maxNameBytes) return noEntry;
    const length = asked.write(name, 'latin1');
    return (
      this.unlisted.findNear(folder, asked, 0, length) ??
      this.table.find(folder, asked, 0, length, hashName(folder, asked, 0, length))
    );
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

  folderOf(entry: EntryId): FolderNumber {
    return this.segmentOf(entry).sizes[this.placeOf(entry)] ?? rootFolder;
  }

  pathOf(entry: EntryId): ByteString {
    let path = this.nameOf(entry);
    for (let folder = this.parentOf(entry); folder !== rootFolder; folder = this.folderParent(folder)) {
      path = joinParts(this.nameOf(this.folderEntry(folder)), path);
    }
    return path;
  }

  hasStats(entry: EntryId): boolean {
    return (this.factsOf(entry) & hasStats) !== 0;
  }

  sameStats(entry: EntryId, size: bigint | number, mtimeNs: bigint): boolean {
    const { ms, ns } = splitTime(mtimeNs);
    return this.#hasStats(this.segmentOf(entry), this.placeOf(entry), Number(size), ms, ns);
  }

  put(folder: FolderNumber, name: ByteString, kind: Kind): EntryId {
    const there = this.find(folder, name);
    if (there !== noEntry) {
      if (this.kindOf(there) === kind) return there;
      throw new RangeError('An entry of another kind has this name');
    }
    if (name.length > maxNameBytes) throw new RangeError('A name of too many bytes');
    const end = asked.write(name, 'latin1');
    const entry = this.#append(folder, { names: asked, end, kinds: Uint8Array.of(kind) }, 0, 0, 1).entry;
    if (kind === Kind.FOLDER) this.#addFolder(folder, entry);
    this.table.add(entry, hashName(folder, asked, 0, end));
    return entry;
  }

  append(
    folder: FolderNumber,
    listing: FolderListing,
    from: number,
    first: number,
    until: number,
    onFolder: (folder: FolderNumber) => void,
  ): number {
    let at = from;
    for (let next = first; next < until; ) {
      const { entry, count, end } = this.#append(folder, listing, at, next, until);
      this.unlisted.add(entry, count);
      for (let i = 0; i < count; i++) {
        if (listing.kinds[next + i] !== Kind.FOLDER) continue;
        // Folders are in the table from the start.
        if (this.list(entry + i)) onFolder(this.#addFolder(folder, entry + i));
      }
      at = end;
      next += count;
    }
    return at;
  }

  setStats(entry: EntryId, size: bigint | number, mtimeNs: bigint): void {
    const { ms, ns } = splitTime(mtimeNs);
    this.noteStats(entry, Number(size), ms, ns);
  }

  noteStats(entry: EntryId, size: number, ms: number, ns: number): boolean {
    const segment = this.segmentOf(entry);
    const place = this.placeOf(entry);
    if (this.#hasStats(segment, place, size, ms, ns)) return false;
    const facts = segment.facts[place] ?? 0;
    segment.facts[place] = (facts & ~nanosecondsMask) | ns | hasStats;
    segment.times[place] = ms;
    if (kindIn(facts) !== Kind.FOLDER) segment.sizes[place] = size;
    this.changes++;
    return true;
  }

  remove(entry: EntryId): FolderNumber[] {
    this.unlisted.listAll();
    if (this.segmentOf(entry).isDead(this.placeOf(entry))) return [];
    const folder = this.parentOf(entry);
    this.table.remove(entry);
    this.segmentOf(entry).kill(this.placeOf(entry));
    this.tree.children[folder] = this.childCount(folder) - 1;
    this.entries--;
    this.changes++;
    if (this.kindOf(entry) !== Kind.FOLDER) return [];
    const gone = this.tree.remove(this.folderOf(entry));
    for (const number of gone) this.entries -= this.childCount(number);
    return gone;
  }

  folderStamp(folder: FolderNumber): bigint {
    return this.tree.stamps[folder] ?? 0n;
  }

  setFolderStamp(folder: FolderNumber, stamp: bigint): void {
    this.tree.stamps[folder] = stamp;
  }

  maintain(): boolean {
    return this.unlisted.step() || this.#maintenance.step();
  }

  isNamed(entry: EntryId, folder: FolderNumber, bytes: Buffer, from: number, to: number): boolean {
    const segment = this.segmentOf(entry);
    const place = this.placeOf(entry);
    if (segment.parents[place] !== folder || segment.isDead(place)) return false;
    return segment.isNamed(place, bytes, from, to);
  }

  /**
   * Puts an entry into the table of names, or drops it when there is another one of its name: some file systems tell of a file twice.
   * @returns whether it was put
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

  /** As many entries of a listing as there is room for in one segment. @returns the first, how many, and where the next one's name begins */
  #append(
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

  #addFolder(parent: FolderNumber, entry: EntryId): FolderNumber {
    const number = this.tree.add(entry, parent);
    this.segmentOf(entry).sizes[this.placeOf(entry)] = number;
    return number;
  }

  #hasStats(segment: Segment, place: number, size: number, ms: number, ns: number): boolean {
    const facts = segment.facts[place] ?? 0;
    return (
      (facts & hasStats) !== 0 &&
      (facts & nanosecondsMask) === ns &&
      segment.times[place] === ms &&
      (kindIn(facts) === Kind.FOLDER || segment.sizes[place] === size)
    );
  }

  /** The segment where entries are put: the same until it is full, then the emptiest that is not, or a new one. */
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
    // The first one starts small; where there is one there will be many, and growing leaves holes in the heap.
    if (tail === 0) this.segments.push(new Segment());
    else if (tail === this.segments.length) {
      const last = this.segments[tail - 1] as Segment;
      this.segments.push(new Segment(this.segmentEntries, Math.ceil(last.namesEnd * 1.1)));
    }
    this.#tail = tail;
    return tail;
  }
}
