import type { EntryId } from './api.ts';
import type { ResultOrder, ResultPlace } from './order.ts';
import type { PathBound } from './path-bound.ts';

/** An entry with its place in an order: the key at once, the rest on demand. */
export interface Ranked {
  readonly entry: EntryId;
  readonly key: number;
  place: ResultPlace | undefined;
}

/**
 * Keeps the first entries of all that are added, in a heap with the last one on top. Most entries added to a full
 * heap are refused by one comparison of numbers.
 */
export class TopEntries {
  readonly #limit: number;
  readonly #order: ResultOrder;
  readonly #heap: Ranked[] = [];
  /** Path of the top entry, once a comparison needed it. */
  #path: PathBound | undefined;

  constructor(limit: number, order: ResultOrder) {
    this.#limit = limit;
    this.#order = order;
  }

  /** Entries with a greater key are refused. */
  get bound(): number {
    return this.#heap.length < this.#limit ? Infinity : (this.#heap[0]?.key ?? Infinity);
  }

  add(key: number, entry: EntryId): void {
    const top = this.#heap[0];
    if (top === undefined || this.#heap.length < this.#limit) {
      this.#rise({ entry, key, place: undefined });
      this.#path = undefined;
      return;
    }
    if (key > top.key || (key === top.key && !this.#isBefore(entry, top))) return;
    this.#sink({ entry, key, place: undefined });
    this.#path = undefined;
  }

  /** Removes the last entry; undefined when empty. */
  takeLast(): Ranked | undefined {
    const [top] = this.#heap;
    const end = this.#heap.pop();
    if (end !== undefined && end !== top) this.#sink(end);
    this.#path = undefined;
    return top;
  }

  #isBefore(entry: EntryId, top: Ranked): boolean {
    const place = this.#placeOf(top);
    this.#path ??= this.#order.boundOf(place);
    return this.#order.compareTiedTo(entry, place, this.#path) < 0;
  }

  /** Adds an entry and moves it up to its place. */
  #rise(added: Ranked): void {
    const heap = this.#heap;
    let at = heap.push(added) - 1;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      const parent = heap[above] as Ranked;
      if (!this.#isBehind(added, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = added;
  }

  /** Replaces the top and moves the new entry down to its place. */
  #sink(put: Ranked): void {
    const heap = this.#heap;
    let at = 0;
    for (let below = 1; below < heap.length; below = 2 * at + 1) {
      const left = heap[below] as Ranked;
      const right = heap[below + 1];
      const isRight = right !== undefined && this.#isBehind(right, left);
      const child = isRight ? right : left;
      if (this.#isBehind(put, child)) break;
      heap[at] = child;
      at = isRight ? below + 1 : below;
    }
    heap[at] = put;
  }

  #isBehind(a: Ranked, b: Ranked): boolean {
    if (a.key !== b.key) return a.key > b.key;
    return this.#order.compareTied(this.#placeOf(a), this.#placeOf(b)) > 0;
  }

  #placeOf(ranked: Ranked): ResultPlace {
    ranked.place ??= this.#order.placeOf(ranked.entry, ranked.key);
    return ranked.place;
  }
}
