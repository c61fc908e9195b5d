import { Kind } from '../../filesystem/kind.ts';
import type { FolderNumber } from './api.ts';
import type { EntryStore } from './entry-store.ts';
import { kindIn } from './facts.ts';
import { Segment } from './segment.ts';

/**
 * Clears removed entries, one segment at a time, in three stages. Entries of removed folders are killed; the numbers
 * of those folders are released once no open read view may refer to them; and a segment that is a quarter dead is
 * rewritten, while read views keep the old one.
 */
export class Maintenance {
  readonly #index: EntryStore;
  /** Removed folders whose entries are being killed, and the next segment. */
  #emptied: { readonly folders: readonly FolderNumber[]; segment: number } | undefined;
  /** Removed folders without entries, by the epoch of their removal. */
  readonly #retired: { readonly folders: readonly FolderNumber[]; readonly epoch: number }[] = [];

  constructor(index: EntryStore) {
    this.#index = index;
  }

  /** Takes one step. @returns whether there is more to do now */
  step(): boolean {
    return this.#empty() || this.#release() || this.#compact();
  }

  #empty(): boolean {
    const { tree, segments } = this.#index;
    if (this.#emptied === undefined) {
      const folders = tree.takeRemoved();
      if (folders.length === 0) return false;
      const hasEntries = folders.some((folder) => (tree.children[folder] ?? 0) > 0);
      this.#emptied = { folders, segment: hasEntries ? 0 : segments.length };
    }
    if (this.#emptied.segment < segments.length) {
      this.#killBelow(this.#emptied.segment++);
    } else {
      this.#retired.push({ folders: this.#emptied.folders, epoch: tree.epoch });
      this.#emptied = undefined;
    }
    return true;
  }

  /**
   * Kills the entries of dead folders. A folder among them is dead already, like everything below a removed one.
   */
  #killBelow(number: number): void {
    const { segments, tree, table, segmentEntries } = this.#index;
    const segment = segments[number] as Segment;
    for (let place = 0; place < segment.count; place++) {
      if (!tree.isDead(segment.parents[place] ?? 0) || segment.isDead(place)) continue;
      table.remove(number * segmentEntries + place);
      segment.kill(place);
    }
  }

  #release(): boolean {
    const [oldest] = this.#retired;
    if (oldest === undefined) return false;
    for (const { since } of this.#index.readViews) if (since < oldest.epoch) return false;
    for (const folder of oldest.folders) this.#index.tree.release(folder);
    this.#retired.shift();
    return true;
  }

  #compact(): boolean {
    const named = this.#entriesOfDead();
    const number = this.#index.segments.findIndex(({ dead, count }, segment) => {
      const needless = dead - (named.get(segment)?.size ?? 0);
      return needless > 0 && needless * 4 >= count;
    });
    if (number >= 0) this.#rewrite(number, named.get(number));
    return number >= 0;
  }

  /**
   * Returns the entries, by segment, of dead folders that are not released: read views may need their names.
   */
  #entriesOfDead(): Map<number, Set<number>> {
    const { tree, segments, shift } = this.#index;
    const found = new Map<number, Set<number>>();
    for (const folder of this.#retired.flatMap(({ folders }) => folders)) {
      const entry = tree.entries[folder] ?? 0;
      const number = entry >>> shift;
      if (!segments[number]?.isDead(this.#index.placeOf(entry))) continue;
      const places = found.get(number) ?? new Set();
      found.set(number, places.add(this.#index.placeOf(entry)));
    }
    return found;
  }

  #rewrite(number: number, kept: ReadonlySet<number> = new Set()): void {
    const { segments, tree, table, segmentEntries } = this.#index;
    const old = segments[number] as Segment;
    const base = number * segmentEntries;
    const ranks = new Uint32Array(old.count + 1);
    const fresh = new Segment(old.count - old.dead + kept.size);
    for (let place = 0; place < old.count; place++) {
      ranks[place] = fresh.count;
      const isLive = !old.isDead(place);
      if (!isLive && !kept.has(place)) continue;
      const to = base + fresh.count;
      // Runs while the old segment is in place, so that old ids give names.
      if (isLive) table.move(base + place, to, this.#index.hashOf(base + place));
      fresh.appendFrom(old, place);
      if (kindIn(old.facts[place] ?? 0) === Kind.FOLDER) tree.entries[old.sizes[place] ?? 0] = to;
    }
    ranks[old.count] = fresh.count;
    fresh.dead = kept.size;
    fresh.trim();
    segments[number] = fresh;
    narrow(tree.first, tree.limit, base, segmentEntries, (place) => ranks[place] ?? 0);
    narrow(tree.last, tree.limit, base, segmentEntries, (place) => Math.max(0, (ranks[place + 1] ?? 0) - 1));
  }
}

/** Corrects the bounds of folders within the segment at `base`. */
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
