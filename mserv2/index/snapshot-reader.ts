import { Kind } from '../../filesystem/kind.ts';
import { type EntryId, rootFolder, SnapshotError } from './api.ts';
import { kindIn } from './facts.ts';
import { MemoryIndex } from './memory-index.ts';
import { capitals, Segment } from './segment.ts';
import { bytesOf, corrupt, FrameReader, frameKind } from './snapshot-format.ts';

/**
 * Restores an index from the bytes of `writeSnapshot`, in pieces of any size; all or nothing.
 * @throws SnapshotError
 */
export function readSnapshot(chunks: Iterable<Uint8Array>, identity: string): MemoryIndex {
  const frames = new FrameReader(chunks);
  frames.readBeginning();
  if (frames.read(frameKind.identity).content.toString() !== identity) {
    throw new SnapshotError('identity', 'The snapshot is of another root');
  }
  const stamps = frames.read(frameKind.folders).content;
  const segments: Segment[] = [];
  for (;;) {
    const { kind, content } = frames.read(frameKind.segment, frameKind.end);
    if (kind === frameKind.segment) {
      segments.push(segmentFrom(content));
      continue;
    }
    const [count, segmentEntries = 0, folderLimit = 0] = new Uint32Array(Uint8Array.from(content).buffer);
    if (count !== segments.length) throw corrupt('a segment is missing');
    frames.readEnd();
    const index = new MemoryIndex({ segmentEntries });
    index.segments.push(...segments);
    connect(index, folderLimit);
    const told = new BigInt64Array(Uint8Array.from(stamps).buffer);
    index.tree.stamps.set(told.subarray(0, index.tree.limit));
    return index;
  }
}

function segmentFrom(content: Buffer): Segment {
  const lengths = new Uint32Array(Uint8Array.from(content.subarray(0, 12)).buffer);
  const [count = 0, namesEnd = 0, originalsEnd = 0] = lengths;
  if (content.length < count + namesEnd + originalsEnd) throw corrupt('a segment has a wrong length');
  const segment = new Segment(count);
  segment.names = Buffer.allocUnsafeSlow(namesEnd);
  segment.originals = Buffer.allocUnsafeSlow(originalsEnd);
  const { starts, parents, facts, spellings, sizes, times, names, originals } = segment;
  let at = 12;
  for (const column of [starts, parents, facts, spellings, sizes, times, names, originals]) {
    const bytes = bytesOf(column);
    content.copy(bytes, 0, at, at + bytes.length);
    at += bytes.length;
  }
  if (at !== content.length) throw corrupt('a segment has a wrong length');
  segment.count = count;
  segment.originalsEnd = originalsEnd;
  check(segment);
  for (let slot = 0; slot < count; slot++) if (segment.isDead(slot)) segment.dead++;
  return segment;
}

/** Checks that reading names stays within the buffers. */
function check({ count, starts, spellings, names, originalsEnd }: Segment): void {
  let isSound = starts[0] === 1 && starts[count] === names.length;
  for (let slot = 0; slot < count; slot++) {
    const spelling = spellings[slot] ?? 0;
    if ((starts[slot] ?? 0) >= (starts[slot + 1] ?? 0)) isSound = false;
    if (spelling < capitals && spelling > originalsEnd) isSound = false;
  }
  if (!isSound) throw corrupt('names are not where they should be');
}

/**
 * Derives the folders, and each folder's entries. An entry whose folder was removed while the snapshot was written is
 * dropped.
 */
function connect(index: MemoryIndex, folderLimit: number): void {
  const { tree } = index;
  forEachLive(index, (segment, slot, entry) => {
    if (kindIn(segment.facts[slot] ?? 0) !== Kind.FOLDER) return;
    const number = segment.sizes[slot] ?? 0;
    if (!(number > rootFolder && number < folderLimit) || tree.isLive(number)) {
      throw corrupt('a folder has a wrong number');
    }
    tree.addAs(number, entry, segment.parents[slot] ?? rootFolder);
  });
  tree.settle();
  forEachLive(index, (segment, slot, entry) => {
    const parent = segment.parents[slot] ?? rootFolder;
    if (!tree.isLive(parent)) return segment.kill(slot);
    const isFolder = kindIn(segment.facts[slot] ?? 0) === Kind.FOLDER;
    tree.noteChildren(parent, entry, 1);
    if (isFolder) tree.subfolders[parent] = (tree.subfolders[parent] ?? 0) + 1;
    // The table of names takes longest and no search needs it: it is filled when idle.
    index.unlisted.add(entry, 1);
    index.entries++;
  });
}

function forEachLive(
  { segments, segmentEntries }: MemoryIndex,
  visit: (segment: Segment, slot: number, entry: EntryId) => void,
): void {
  for (const [number, segment] of segments.entries()) {
    for (let slot = 0; slot < segment.count; slot++) {
      if (!segment.isDead(slot)) visit(segment, slot, number * segmentEntries + slot);
    }
  }
}
