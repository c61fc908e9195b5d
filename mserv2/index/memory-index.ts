import type { ByteString } from '../../filesystem/byte-string.ts';
import { Kind } from '../../filesystem/kind.ts';
import { splitTime } from '../../filesystem/split-time.ts';
import { type EntryId, type FolderListing, type FolderNumber, noEntry } from './api.ts';
import { EntryStore } from './entry-store.ts';
import { hasStats, isShared, kindIn, nanosecondsMask } from './facts.ts';
import { Maintenance } from './maintenance.ts';
import { hashName } from './name-table.ts';
import { maxNameBytes, type Segment } from './segment.ts';
import { Unlisted } from './unlisted.ts';

const fineMask = nanosecondsMask | isShared;

/** The name of a lookup. */
const asked = Buffer.alloc(maxNameBytes);

/**
 * Names, places, types, sizes and dates of a whole tree, in memory. It touches no file: the crawler reports the tree to
 * it. All calls are synchronous and take microseconds, unless stated otherwise; one thread uses it. Ids and numbers that
 * are not in the index are a defect of the caller and give nonsense.
 */
export class MemoryIndex extends EntryStore {
  readonly unlisted = new Unlisted(this);
  readonly #maintenance = new Maintenance(this);

  /** Number of folders, with the root. */
  get folders(): number {
    return this.tree.count;
  }

  /** Upper bound of folder numbers. Not every number below it is a folder: `hasFolder`. */
  get folderLimit(): number {
    return this.tree.limit;
  }

  /** Returns the bytes of all buffers, with the room reserved for growth. */
  bytesUsed(): number {
    const segments = this.segments.reduce((sum, segment) => sum + segment.bytesUsed(), 0);
    return segments + this.tree.bytesUsed() + this.table.bytesUsed();
  }

  hasFolder(folder: FolderNumber): boolean {
    return this.tree.isLive(folder);
  }

  /** Returns the folder at a path below the root; undefined when there is none, or another kind of entry. */
  folderAt(path: ByteString): FolderNumber | undefined {
    const { folder, isWhole } = this.paths.follow(path, this.#subfolder);
    return isWhole ? folder : undefined;
  }

  /** Returns the last folder on the way to a path that is in the index. */
  deepestFolder(path: ByteString): FolderNumber {
    return this.paths.follow(path, this.#subfolder).folder;
  }

  /** Returns a folder and all folders below it, in no order. Takes milliseconds in a large tree. */
  foldersBelow(folder: FolderNumber): FolderNumber[] {
    return this.tree.withBelow(folder);
  }

  find(folder: FolderNumber, name: ByteString): EntryId {
    if (name.length > maxNameBytes) return noEntry;
    const length = asked.write(name, 'latin1');
    return (
      this.unlisted.findNear(folder, asked, 0, length) ??
      this.table.find(folder, asked, 0, length, hashName(folder, asked, 0, length))
    );
  }

  /** Returns whether the entry has a size and a date. */
  hasStats(entry: EntryId): boolean {
    return (this.factsOf(entry) & hasStats) !== 0;
  }

  /** Returns whether an entry has these very stats, to the nanosecond. A folder's size is ignored. */
  sameStats(entry: EntryId, size: bigint | number, mtimeNs: bigint): boolean {
    const { ms, ns } = splitTime(mtimeNs);
    return this.#hasStats(this.segmentOf(entry), this.placeOf(entry), Number(size), ms, ns, nanosecondsMask);
  }

  /**
   * Adds an entry without stats. An entry of the same name and kind stays as it is, with its stats.
   * @throws RangeError when the folder is gone, or has an entry of that name and another kind, which must be removed
   *   first
   */
  put(folder: FolderNumber, name: ByteString, kind: Kind): EntryId {
    const there = this.find(folder, name);
    if (there !== noEntry) {
      if (this.kindOf(there) === kind) return there;
      throw new RangeError('An entry of another kind has this name');
    }
    if (name.length > maxNameBytes) throw new RangeError('A name of too many bytes');
    const end = asked.write(name, 'latin1');
    const entry = this.appendTo(folder, { names: asked, end, kinds: Uint8Array.of(kind) }, 0, 0, 1).entry;
    if (kind === Kind.FOLDER) this.addFolder(folder, entry);
    this.table.add(entry, hashName(folder, asked, 0, end));
    return entry;
  }

  /**
   * Adds the entries of a listing from the `first` to before `until`, without stats, to a folder that was empty.
   * Takes a fraction of the time of `put`. The names must be new: of two entries with one name, one that is no folder
   * is dropped later, and a second folder at once.
   * @param from begin of the first name
   * @param onFolder called with each folder among them
   * @returns the begin of the name after the last one
   * @throws RangeError when the folder is gone
   */
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
      const { entry, count, end } = this.appendTo(folder, listing, at, next, until);
      this.unlisted.add(entry, count);
      for (let i = 0; i < count; i++) {
        if (listing.kinds[next + i] !== Kind.FOLDER) continue;
        // Folders enter the table at once.
        if (this.list(entry + i)) onFolder(this.addFolder(folder, entry + i));
      }
      at = end;
      next += count;
    }
    return at;
  }

  /**
   * Stores `stats.size` and `stats.mtimeNs` of an lstat. Filters on size and date never find an entry without stats.
   * @param shared whether the file has another hard link
   */
  setStats(entry: EntryId, size: bigint | number, mtimeNs: bigint, shared = false): void {
    const { ms, ns } = splitTime(mtimeNs);
    this.noteStats(entry, Number(size), ms, ns, shared);
  }

  /**
   * Stores stats with a split date: whole milliseconds, rounded down, and the 0 to 999,999 ns above them.
   * @returns whether anything changed
   */
  noteStats(entry: EntryId, size: number, ms: number, ns: number, shared = false): boolean {
    const fine = shared ? ns | isShared : ns;
    const segment = this.segmentOf(entry);
    const place = this.placeOf(entry);
    if (this.#hasStats(segment, place, size, ms, fine, fineMask)) return false;
    const facts = segment.facts[place] ?? 0;
    segment.facts[place] = (facts & ~fineMask) | fine | hasStats;
    segment.times[place] = ms;
    if (kindIn(facts) !== Kind.FOLDER) segment.sizes[place] = size;
    this.changes++;
    return true;
  }

  /**
   * Removes an entry, and a folder with everything below it, from all later queries.
   * @returns the numbers of all removed folders, in no order, so that their watches can be closed
   */
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

  /**
   * Returns the crawler's number for a folder, kept in snapshots; 0n at first. It is the folder's mtimeNs from before
   * it was read; the stats of its entry may be newer. Wraps at 64 bits.
   */
  folderStamp(folder: FolderNumber): bigint {
    return this.tree.stamps[folder] ?? 0n;
  }

  setFolderStamp(folder: FolderNumber, stamp: bigint): void {
    this.tree.stamps[folder] = stamp;
  }

  /**
   * Takes one step of clearing removed entries, some milliseconds at most. Ids change. Call it when idle.
   * @returns whether there is more to do
   */
  maintain(): boolean {
    return this.unlisted.step() || this.#maintenance.step();
  }

  readonly #subfolder = (folder: FolderNumber, name: ByteString): FolderNumber | undefined => {
    const entry = this.find(folder, name);
    return entry !== noEntry && this.kindOf(entry) === Kind.FOLDER ? this.folderOf(entry) : undefined;
  };

  #hasStats(segment: Segment, place: number, size: number, ms: number, fine: number, mask: number): boolean {
    const facts = segment.facts[place] ?? 0;
    return (
      (facts & hasStats) !== 0 &&
      (facts & mask) === fine &&
      segment.times[place] === ms &&
      (kindIn(facts) === Kind.FOLDER || segment.sizes[place] === size)
    );
  }
}
