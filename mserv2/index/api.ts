import type { ByteString } from '../../filesystem/byte-string.ts';
import type { Kind } from '../../filesystem/kind.ts';

/**
 * Where an entry is in the index. It may change in `maintain`, and only there: whoever keeps one over an `await` looks
 * it up again, by folder and name.
 */
export type EntryId = number;

/**
 * A folder's number, dense from 0, which is the root. It stays the same for as long as the folder is in the index, so
 * that watches can be kept in an array; after `remove` it is given to another folder, but not before `maintain` has
 * cleared away what was below.
 */
export type FolderNumber = number;

export const rootFolder: FolderNumber = 0;

/** What `find` answers for a name that a folder does not hold. */
export const noEntry: EntryId = -1;

/** Entries of one folder, as they were listed. */
export interface FolderListing {
  /** With `/` between them. */
  readonly names: Buffer;
  /** Where the last of them ends. */
  readonly end: number;
  /** The `Kind` of each. */
  readonly kinds: Uint8Array;
}

/**
 * The names, places, types, sizes and dates of a whole tree, in memory; `MemoryIndex` is it. It touches no file: whoever crawls and watches
 * the tree tells it what is there. All calls are synchronous and take microseconds, unless they say otherwise; it is used by
 * one thread. Ids and numbers that are not in the index are the caller's bug and give nonsense.
 */
export interface FileIndex {
  /** How many entries there are. */
  readonly entries: number;
  /** How many folders, with the root. */
  readonly folders: number;
  /** Every folder number is below it. Not every number below it is a folder: `hasFolder`. */
  readonly folderLimit: number;
  /** Grows with every mutation. */
  readonly changes: number;
  /** Bytes of all buffers, with what is reserved for growth. */
  bytesUsed(): number;

  hasFolder(folder: FolderNumber): boolean;
  /** The folder of a path below the root, or undefined when there is none, or something else by that name. */
  folderAt(parts: readonly ByteString[]): FolderNumber | undefined;
  /** Below the root; the root's own is empty. */
  folderPath(folder: FolderNumber): ByteString;
  /** The folder that holds this one; the root's is the root. */
  folderParent(folder: FolderNumber): FolderNumber;
  /** The entry of a folder in its parent; `noEntry` for the root. */
  folderEntry(folder: FolderNumber): EntryId;
  /** How many entries a folder holds itself. When all of a listing were found and there are as many, none is left over. */
  childCount(folder: FolderNumber): number;
  /** The entries of a folder, in the order in which they were put. Cheap when they were put one after the other; 1 ms per million entries at worst. */
  children(folder: FolderNumber): EntryId[];

  find(folder: FolderNumber, name: ByteString): EntryId;
  kindOf(entry: EntryId): Kind;
  nameOf(entry: EntryId): ByteString;
  parentOf(entry: EntryId): FolderNumber;
  /** The number of an entry that is a folder. */
  folderOf(entry: EntryId): FolderNumber;
  pathOf(entry: EntryId): ByteString;
  /** Whether `setStats` was called for it. */
  hasStats(entry: EntryId): boolean;
  /** Whether that was with these very values; all nanoseconds count. The size of a folder is not looked at. */
  sameStats(entry: EntryId, size: bigint | number, mtimeNs: bigint): boolean;

  /**
   * Adds an entry, without stats. One of the same kind that is there already stays as it is, with its stats.
   * @throws RangeError when one of another kind is there: that is to be removed first; when the folder is gone
   */
  put(folder: FolderNumber, name: ByteString, kind: Kind): EntryId;
  /**
   * Adds the entries of a listing from the `first` to before `until`, without stats: for whoever fills a folder that was
   * empty, and knows that the names are new. Takes a fraction of the time of `put`. If a name is there after all this entry,
   * or the other one unless that is a folder, is dropped later; a second folder of that name at once.
   * @param from where the first one's name begins
   * @param onFolder is told each folder among them
   * @returns where the name after the last one would begin
   * @throws RangeError when the folder is gone
   */
  append(
    folder: FolderNumber,
    listing: FolderListing,
    from: number,
    first: number,
    until: number,
    onFolder: (folder: FolderNumber) => void,
  ): number;
  /** Whether an entry is in a folder, by the name that `names` has from `from` to before `to`. */
  isNamed(entry: EntryId, folder: FolderNumber, names: Buffer, from: number, to: number): boolean;
  /** What lstat said: `stats.size` and `stats.mtimeNs`. Entries without are not found by filters on size and date. */
  setStats(entry: EntryId, size: bigint | number, mtimeNs: bigint): void;
  /**
   * The same of a date that is taken apart already: whole milliseconds, rounded down, and the 0 to 999,999 ns above them.
   * @returns whether anything is new
   */
  noteStats(entry: EntryId, size: number, ms: number, ns: number): boolean;
  /**
   * Removes an entry, and a folder with all below it, which is gone for every query from now on.
   * @returns the numbers of all folders that are gone, in no order: their watches can be closed
   */
  remove(entry: EntryId): FolderNumber[];

  /**
   * A number of the crawler's own for each folder, kept in snapshots; 0n at first. Meant for the mtimeNs that the folder had
   * before it was read, which is not the same as the stats of its entry: those may be newer. Wraps at 64 bits.
   */
  folderStamp(folder: FolderNumber): bigint;
  setFolderStamp(folder: FolderNumber, stamp: bigint): void;

  /**
   * One step, of some milliseconds at most, of clearing away what was removed. Ids change. Call it when there is time.
   * @returns whether there is more to do
   */
  maintain(): boolean;
}

/** Why a snapshot was not loaded: written by another version or for another root, or cut or altered. */
export type SnapshotFault = 'version' | 'identity' | 'corrupt';

export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly fault: SnapshotFault;

  constructor(fault: SnapshotFault, message: string) {
    super(message);
    this.fault = fault;
  }
}
