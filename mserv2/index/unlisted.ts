import { type EntryId, type FolderNumber, noEntry } from './api.ts';
import type { EntryStore } from './entry-store.ts';

/** Largest distance between a folder's entries at which they are scanned instead of looked up. */
const nearEnough = 2048;

/**
 * Entries that are not in the table of names yet. A new tree is not searched by name, and the table takes longest to
 * fill: it is grown once, and filled when idle, or when it is needed.
 */
export class Unlisted {
  readonly #index: EntryStore;
  /** Runs of entries, without their end, in the order of adding. */
  #runs: { from: EntryId; to: EntryId }[] = [];
  #count = 0;

  constructor(index: EntryStore) {
    this.#index = index;
  }

  /** Adds so many entries, from that one on. */
  add(entry: EntryId, count: number): void {
    const run = this.#runs.at(-1);
    if (run?.to === entry) run.to += count;
    else this.#runs.push({ from: entry, to: entry + count });
    this.#count += count;
  }

  /**
   * Finds an entry without the table, or returns `noEntry`. Returns undefined when the table must be asked, which is
   * complete then.
   */
  findNear(folder: FolderNumber, bytes: Buffer, from: number, to: number): EntryId | undefined {
    if (this.#count === 0) return undefined;
    const { first, last } = this.#index.tree;
    if ((last[folder] ?? 0) - (first[folder] ?? 0) > nearEnough) {
      this.listAll();
      return undefined;
    }
    const found = this.#index
      .children(folder)
      .find((entry) => this.#index.isNamed(entry, folder, bytes, from, to));
    return found ?? noEntry;
  }

  /** Adds all entries to the table; called before entries are changed. */
  listAll(): void {
    while (this.step());
  }

  /** Adds some entries to the table, for a few milliseconds. @returns whether there were any */
  step(): boolean {
    const run = this.#runs[0];
    if (run === undefined) return false;
    const { table, segmentEntries } = this.#index;
    // A table with many entries grows part by part.
    if (this.#count > table.count) table.reserve(table.count + this.#count);
    const until = Math.min(run.to, run.from + segmentEntries);
    for (let entry = run.from; entry < until; entry++) this.#index.list(entry);
    this.#count -= until - run.from;
    run.from = until;
    if (run.from === run.to) this.#runs.shift();
    return true;
  }
}
