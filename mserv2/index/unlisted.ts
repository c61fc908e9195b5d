import { type EntryId, type FolderNumber, noEntry } from './api.ts';
import type { EntryStore } from './entry-store.ts';

/** A folder whose entries are so near to each other is looked through. */
const nearEnough = 2048;

/**
 * Entries that are not in the table of names yet. While a tree is new nobody asks for names, and the table
 * takes longest to fill: it is made large enough once, and filled when there is time, or when it is needed.
 */
export class Unlisted {
  readonly #index: EntryStore;
  /** From the first to before the last, in the order in which they were added. */
  #runs: { from: EntryId; to: EntryId }[] = [];
  #count = 0;

  constructor(index: EntryStore) {
    this.#index = index;
  }

  /** So many entries, from that one on. */
  add(entry: EntryId, count: number): void {
    const run = this.#runs.at(-1);
    if (run?.to === entry) run.to += count;
    else this.#runs.push({ from: entry, to: entry + count });
    this.#count += count;
  }

  /**
   * The entry of that name, or `noEntry`, told without the table. Undefined when the table tells, which has all entries
   * then.
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

  /** Before anything is done to entries. */
  listAll(): void {
    while (this.step());
  }

  /** Puts some of them into the table, for a few milliseconds. @returns whether there were any */
  step(): boolean {
    const run = this.#runs[0];
    if (run === undefined) return false;
    const { table, segmentEntries } = this.#index;
    // A table that has much in it grows part by part.
    if (this.#count > table.count) table.reserve(table.count + this.#count);
    const until = Math.min(run.to, run.from + segmentEntries);
    for (let entry = run.from; entry < until; entry++) this.#index.list(entry);
    this.#count -= until - run.from;
    run.from = until;
    if (run.from === run.to) this.#runs.shift();
    return true;
  }
}
