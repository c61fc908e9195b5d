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
