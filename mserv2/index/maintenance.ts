import { Kind } from '../../filesystem/kind.ts';
import type { FolderNumber } from './api.ts';
import { kindIn } from './facts.ts';
import type { MemoryIndex } from './memory-index.ts';
import { Segment } from './segment.ts';

/** Clears away what was removed, one segment at a time. */
export class Maintenance {
  readonly #index: MemoryIndex;
  /** Dead folders, whose entries are being looked for; `segment` is where next. */
  #reaped: { readonly folders: readonly FolderNumber[]; segment: number } | undefined;

  constructor(index: MemoryIndex) {
    this.#index = index;
  }

  /** @returns whether there is more to do */
  step(): boolean {
    if (this.#reaped === undefined && this.#index.tree.anyDead) {
      this.#reaped = { folders: this.#index.tree.takeDead(), segment: 0 };
    }
    if (this.#reaped !== undefined) {
      this.#reap(this.#reaped.segment++);
      if (this.#reaped.segment >= this.#index.segments.length) {
        for (const folder of this.#reaped.folders) this.#index.tree.release(folder);
        this.#reaped = undefined;
      }
      return true;
    }
    const wasteful = this.#index.segments.findIndex(({ dead, count }) => dead > 0 && dead * 4 >= count);
    if (wasteful >= 0) this.#compact(wasteful);
    return wasteful >= 0;
  }

  /** Kills the entries of dead folders. A folder among them is dead already, as all below a removed one. */
  #reap(number: number): void {
    const { segments, tree, table, segmentEntries } = this.#index;
    const segment = segments[number];
    for (let place = 0; segment !== undefined && place < segment.count; place++) {
      if (!tree.isDead(segment.parents[place] ?? 0) || segment.isDead(place)) continue;
      table.remove(number * segmentEntries + place);
      segment.kill(place);
    }
  }

  #compact(number: number): void {
    const { segments, tree, table, segmentEntries, readers } = this.#index;
    const old = segments[number] as Segment;
    const base = number * segmentEntries;
    const ranks = ranksOf(old);
    const fresh = new Segment(old.count - old.dead);
    for (let place = 0; place < old.count; place++) {
      if (old.isDead(place)) continue;
      const from = base + place;
      const to = base + fresh.count;
      // Before the segment is replaced, while names can still be read by old ids.
      table.move(from, to, this.#index.hashOf(from));
      fresh.appendFrom(old, place);
      if (kindIn(old.facts[place] ?? 0) === Kind.FOLDER) tree.entries[old.sizes[place] ?? 0] = to;
    }
    fresh.trim();
    segments[number] = fresh;
    narrow(tree.first, tree.limit, base, segmentEntries, (place) => ranks[place] ?? 0);
    narrow(tree.last, tree.limit, base, segmentEntries, (place) => Math.max(0, (ranks[place + 1] ?? 0) - 1));
    for (const reader of readers) reader.moved(number, ranks);
  }
}

/** How many live entries are before each place. */
function ranksOf(segment: Segment): Uint32Array {
  const ranks = new Uint32Array(segment.count + 1);
  let live = 0;
  for (let place = 0; place < segment.count; place++) {
    ranks[place] = live;
    if (!segment.isDead(place)) live++;
  }
  ranks[segment.count] = live;
  return ranks;
}

/** Corrects those bounds of folders that lie in the segment at `base`. */
function narrow(
  bounds: Uint32Array,
  limit: number,
  base: number,
  length: number,
  corrected: (place: number) => number,
): void {
  for (let folder = 0; folder < limit; folder++) {
    const place = (bounds[folder] ?? 0) - base;
    if (place >= 0 && place < length) bounds[folder] = base + corrected(place);
  }
}
