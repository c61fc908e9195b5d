import type { ByteString } from '../../filesystem/byte-string.ts';
import { fromBytes, joinParts } from '../../filesystem/byte-string.ts';
import { type EntryId, type FolderNumber, rootFolder } from './api.ts';
import type { EntryStore } from './entry-store.ts';
import { maxNameBytes, type Segment } from './segment.ts';

const scratch = Buffer.alloc(maxNameBytes);

/**
 * A view of the index for a query that takes several turns. Ids stay valid: segments that are rewritten meanwhile are
 * kept, and removed folders keep their numbers and names until the view is closed. Entries added meanwhile may be
 * seen or not; removed entries may still be seen.
 */
export class ReadView implements Disposable {
  readonly index: EntryStore;
  readonly segments: readonly Segment[];
  readonly since: number;

  constructor(index: EntryStore) {
    this.index = index;
    this.segments = [...index.segments];
    this.since = index.tree.epoch;
    index.readViews.add(this);
  }

  [Symbol.dispose](): void {
    this.index.readViews.delete(this);
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

  /** Returns whether the entry still exists, as far as this view can know. */
  isThere(entry: EntryId): boolean {
    return !this.segmentOf(entry).isDead(this.placeOf(entry)) && this.index.tree.isLive(this.parentOf(entry));
  }

  pathOf(entry: EntryId): ByteString {
    const length = this.segmentOf(entry).copyName(this.placeOf(entry), scratch);
    const name = fromBytes(scratch.subarray(0, length));
    return joinParts(this.index.folderPath(this.parentOf(entry)), name);
  }
}
