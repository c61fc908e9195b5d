import type { MemoryIndex } from './memory-index.ts';
import { ReadView } from './read-view.ts';
import type { Segment } from './segment.ts';
import { beginning, bytesOf, frame, frameKind } from './snapshot-format.ts';

/**
 * Yields the index as bytes, in pieces of some megabytes at most that take a millisecond or two each. The index may
 * change between them: the folders' stamps are taken first, so that a later entry is in a folder with an older stamp.
 * To stop early, call `return`, as leaving a `for … of` does.
 *
 * @param identity of the root: any text; the snapshot is refused for another one
 */
export function* writeSnapshot(index: MemoryIndex, identity: string): Generator<Buffer, void> {
  using view = new ReadView(index);
  yield Buffer.concat([beginning(), frame(frameKind.identity, Buffer.from(identity))]);
  yield frame(frameKind.folders, bytesOf(index.tree.stamps.subarray(0, index.tree.limit)));
  for (const segment of view.segments) yield frame(frameKind.segment, contentOf(segment));
  // Folders that came and went meanwhile had numbers too, which are not reused before the view is closed.
  const end = Uint32Array.of(view.segments.length, index.segmentEntries, index.tree.limit);
  yield frame(frameKind.end, bytesOf(end));
}

function contentOf(segment: Segment): Buffer {
  const { count, namesEnd, originalsEnd } = segment;
  return Buffer.concat([
    bytesOf(Uint32Array.of(count, namesEnd, originalsEnd)),
    bytesOf(segment.starts.subarray(0, count + 1)),
    bytesOf(segment.parents.subarray(0, count)),
    bytesOf(segment.facts.subarray(0, count)),
    bytesOf(segment.spellings.subarray(0, count)),
    bytesOf(segment.sizes.subarray(0, count)),
    bytesOf(segment.times.subarray(0, count)),
    segment.names.subarray(0, namesEnd),
    segment.originals.subarray(0, originalsEnd),
  ]);
}
