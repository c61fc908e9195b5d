import type { ByteString } from '../../filesystem/byte-string.ts';
import type { Kind } from '../../filesystem/kind.ts';

/**
 * Position of an entry in the index. Only `maintain` changes it: after an `await`, look the entry up again, by folder
 * and name.
 */
export type EntryId = number;

/**
 * Number of a folder, dense from 0, which is the root. It stays the same while the folder is in the index, so watches
 * can be kept in an array. After `remove` another folder may get it, once `maintain` has cleared the contents.
 */
export type FolderNumber = number;

export const rootFolder: FolderNumber = 0;

/** Result of `find` for a name that the folder does not hold. */
export const noEntry: EntryId = -1;

/** Entries of one folder in the order of the listing. */
export interface FolderListing {
  /** Names, separated by `/`. */
  readonly names: Buffer;
  /** End of the last name. */
  readonly end: number;
  /** `Kind` of each entry. */
  readonly kinds: Uint8Array;
}

/**
 * Names, places, types, sizes and dates of a whole tree, in memory; implemented by `MemoryIndex`. It touches no file:
 * the crawler reports the tree to it. All calls are synchronous and take microseconds, unless stated otherwise; one
 * thread uses it. Ids and numbers that are not in the index are a defect of the caller and give nonsense.
 */
export interface FileIndex {
  /** Number of entries. */
  readonly entries: number;
  /** Number of folders, with the root. */
  readonly folders: number;
  /** Upper bound of folder numbers. Not every number below it is a folder: `hasFolder`. */
  readonly folderLimit: number;
  /** Number of changes so far. */
  readonly changes: number;
  /** Returns the bytes of all buffers, with the room reserved for growth. */
  bytesUsed(): number;

  hasFolder(folder: FolderNumber): boolean;
  /** Returns the folder at a path below the root; undefined when there is none, or another kind of entry. */
  folderAt(path: ByteString): FolderNumber | undefined;
  /** Returns the last folder on the way to a path that is in the index. */
  deepestFolder(path: ByteString): FolderNumber;
  /** Returns a folder's path below the root, which is empty for the root. */
  folderPath(folder: FolderNumber): ByteString;
  /** Returns a folder and all folders below it, in no order. Takes milliseconds in a large tree. */
  foldersBelow(folder: FolderNumber): FolderNumber[];
  /** Returns a folder's parent; the root's is the root. */
  folderParent(folder: FolderNumber): FolderNumber;
  /** Returns a folder's entry in its parent; `noEntry` for the root. */
  folderEntry(folder: FolderNumber): EntryId;
  /**
   * Returns the number of a folder's own entries. When a listing has as many and all were found, none is left over.
   */
  childCount(folder: FolderNumber): number;
  /**
   * Returns a folder's entries in the order of `put`. Fast when they were put in a row; at worst 1 ms per million
   * entries.
   */
  children(folder: FolderNumber): EntryId[];

  find(folder: FolderNumber, name: ByteString): EntryId;
  kindOf(entry: EntryId): Kind;
  nameOf(entry: EntryId): ByteString;
  parentOf(entry: EntryId): FolderNumber;
  /** Returns the folder number of an entry that is a folder. */
  folderOf(entry: EntryId): FolderNumber;
  pathOf(entry: EntryId): ByteString;
  /** Returns whether the entry has a size and a date. */
  hasStats(entry: EntryId): boolean;
  /** Returns whether an entry has these very stats, to the nanosecond. A folder's size is ignored. */
  sameStats(entry: EntryId, size: bigint | number, mtimeNs: bigint): boolean;

  /**
   * Adds an entry without stats. An entry of the same name and kind stays as it is, with its stats.
   * @throws RangeError when the folder is gone, or has an entry of that name and another kind, which must be removed
   *   first
   */
  put(folder: FolderNumber, name: ByteString, kind: Kind): EntryId;
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
  ): number;
  /** Returns whether an entry is in a folder and has the name in `names` from `from` to before `to`. */
  isNamed(entry: EntryId, folder: FolderNumber, names: Buffer, from: number, to: number): boolean;
  /**
   * Stores `stats.size` and `stats.mtimeNs` of an lstat. Filters on size and date never find an entry without stats.
   * @param shared whether the file has another hard link
   */
  setStats(entry: EntryId, size: bigint | number, mtimeNs: bigint, shared?: boolean): void;
  /**
   * Stores stats with a split date: whole milliseconds, rounded down, and the 0 to 999,999 ns above them.
   * @returns whether anything changed
   */
  noteStats(entry: EntryId, size: number, ms: number, ns: number, shared?: boolean): boolean;
  /**
   * Removes an entry, and a folder with everything below it, from all later queries.
   * @returns the numbers of all removed folders, in no order, so that their watches can be closed
   */
  remove(entry: EntryId): FolderNumber[];

  /**
   * Returns the crawler's number for a folder, kept in snapshots; 0n at first. It is the folder's mtimeNs from before
   * it was read; the stats of its entry may be newer. Wraps at 64 bits.
   */
  folderStamp(folder: FolderNumber): bigint;
  setFolderStamp(folder: FolderNumber, stamp: bigint): void;

  /**
   * Takes one step of clearing removed entries, some milliseconds at most. Ids change. Call it when idle.
   * @returns whether there is more to do
   */
  maintain(): boolean;
}

/**
 * Reason why a snapshot was not loaded: written by another version or for another root, or cut or altered.
 */
export type SnapshotFault = 'version' | 'identity' | 'corrupt';

export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
  readonly fault: SnapshotFault;

  constructor(fault: SnapshotFault, message: string) {
    super(message);
    this.fault = fault;
  }
}
