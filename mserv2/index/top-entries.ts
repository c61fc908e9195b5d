import type { EntryId } from './api.ts';
import type { Order, Place } from './order.ts';

/** An entry with its key in an order. */
export interface Ranked {
  readonly entry: EntryId;
  readonly key: number;
}

/**
 * Keeps the first entries of all that are added: a heap with the last of them on top, so that most of what is added to
 * a full one is refused by one comparison of numbers.
 */
export class TopEntries {
  readonly #limit: number;
  readonly #order: Order;
  readonly #keys: number[] = [];
  readonly #entries: EntryId[] = [];
  /** The one on top, when it was needed to compare with. */
  #last: Place | undefined;

  constructor(limit: number, order: Order) {
    this.#limit = limit;
    this.#order = order;
  }

  add(key: number, entry: EntryId): void {
    const size = this.#entries.length;
    if (size < this.#limit) {
      this.#rise(size, key, entry);
      this.#last = undefined;
      return;
    }
    const worst = this.#keys[0] ?? 0;
    if (key > worst || (key === worst && !this.#isBeforeLast(entry))) return;
    this.#sink(key, entry, size);
    this.#last = undefined;
  }

  /** Takes the last one out; undefined when there is none. */
  takeLast(): Ranked | undefined {
    const [entry] = this.#entries;
    const [key] = this.#keys;
    const lastEntry = this.#entries.pop();
    const lastKey = this.#keys.pop();
    this.#last = undefined;
    if (entry === undefined || key === undefined || lastEntry === undefined || lastKey === undefined)
      return undefined;
    if (this.#entries.length > 0) this.#sink(lastKey, lastEntry, this.#entries.length);
    return { entry, key };
  }

  #isBeforeLast(entry: EntryId): boolean {
    this.#last ??= this.#order.placeOf(this.#entries[0] ?? 0, this.#keys[0] ?? 0);
    return this.#order.compareTiedTo(entry, this.#last) < 0;
  }

  /** Adds one at the end, and moves it up as far as it belongs. */
  #rise(from: number, key: number, entry: EntryId): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#isBehind(key, entry, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#keys[at] = key;
    this.#entries[at] = entry;
  }

  /** Puts one in the place of the top, and moves it down as far as it belongs. */
  #sink(key: number, entry: EntryId, size: number): void {
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      const right = child + 1;
      if (right < size && this.#isBehind(this.#keys[right] ?? 0, this.#entries[right] ?? 0, child))
        child = right;
      if (this.#isBehind(key, entry, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#keys[at] = key;
    this.#entries[at] = entry;
  }

  #isBehind(key: number, entry: EntryId, at: number): boolean {
    const other = this.#keys[at] ?? 0;
    return key === other ? this.#order.compareTied(entry, this.#entries[at] ?? 0) > 0 : key > other;
  }

  #move(from: number, to: number): void {
    this.#keys[to] = this.#keys[from] ?? 0;
    this.#entries[to] = this.#entries[from] ?? 0;
  }
}
