import type { ByteString } from '../../filesystem/byte-string.ts';
import { fromBytes, joinParts } from '../../filesystem/byte-string.ts';
import { type EntryId, type FolderNumber, rootFolder } from './api.ts';
import type { MemoryIndex } from './memory-index.ts';
import { maxNameBytes, type Segment } from './segment.ts';

const slash = 0x2f;
const ours = Buffer.alloc(maxNameBytes + 1);
const theirs = Buffer.alloc(maxNameBytes + 1);

/**
 * The index as a query sees it that takes several turns. Ids stay valid, since segments that are written anew meanwhile
 * are kept as they were, and folders that are removed keep their numbers and names until the reading ends. Entries that are put
 * meanwhile may be seen or not; entries that are removed may be seen still.
 */
export class Reading implements Disposable {
  readonly index: MemoryIndex;
  readonly segments: readonly Segment[];
  readonly since: number;

  constructor(index: MemoryIndex) {
    this.index = index;
    this.segments = [...index.segments];
    this.since = index.tree.epoch;
    index.readings.add(this);
  }

  [Symbol.dispose](): void {
    this.index.readings.delete(this);
  }

  segmentOf(entry: EntryId): Segment {
    return this.segments[entry >>> this.index.shift] as Segment;
  }

  placeOf(entry: EntryId): number {
    return this.index.placeOf(entry);
  }

  parentOf(entry: EntryId): FolderNumber {
    return this.segmentOf(entry).parents[this.placeOf(entry)] ?? rootFolder;
  }

  /** Whether it was not removed, as far as this reading can know. */
  isThere(entry: EntryId): boolean {
    return !this.segmentOf(entry).isDead(this.placeOf(entry)) && this.index.tree.isLive(this.parentOf(entry));
  }

  pathOf(entry: EntryId): ByteString {
    const length = this.#copyName(entry, ours);
    const name = fromBytes(ours.subarray(0, length));
    return joinParts(this.index.folderPath(this.parentOf(entry)), name);
  }

  /** In byte order. */
  compareNames(a: EntryId, b: EntryId): number {
    const length = this.#copyName(a, ours);
    return ours.compare(theirs, 0, this.#copyName(b, theirs), 0, length);
  }

  /** In byte order of whole paths, without making them: by the names where the two ways from the root part. */
  comparePaths(a: EntryId, b: EntryId): number {
    const { tree } = this.index;
    let folder = this.parentOf(a);
    let other = this.parentOf(b);
    if (folder === other) return this.compareNames(a, b);
    // What goes on below the place where they part ends with `/`.
    let length = this.#copyName(a, ours);
    let otherLength = this.#copyName(b, theirs);
    let depth = tree.depths[folder] ?? 0;
    let otherDepth = tree.depths[other] ?? 0;
    while (folder !== other) {
      const isDeeper = depth >= otherDepth;
      if (depth <= otherDepth) {
        otherLength = this.#copyFolderName(other, theirs);
        other = tree.parents[other] ?? rootFolder;
        otherDepth--;
      }
      if (isDeeper) {
        length = this.#copyFolderName(folder, ours);
        folder = tree.parents[folder] ?? rootFolder;
        depth--;
      }
    }
    return ours.compare(theirs, 0, otherLength, 0, length);
  }

  #copyName(entry: EntryId, target: Buffer): number {
    return this.segmentOf(entry).copyName(this.placeOf(entry), target);
  }

  /** With a `/` behind it. */
  #copyFolderName(folder: FolderNumber, target: Buffer): number {
    const { index } = this;
    const entry = index.folderEntry(folder);
    const length = index.segmentOf(entry).copyName(index.placeOf(entry), target);
    target[length] = slash;
    return length + 1;
  }
}
