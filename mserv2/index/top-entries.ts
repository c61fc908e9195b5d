import type { EntryId } from './api.ts';
import type { ResultOrder, ResultPlace } from './order.ts';
import type { PathBound } from './path-bound.ts';

/** An entry with its place in an order: the key at once, the rest when it is needed. */
export interface Ranked {
  readonly entry: EntryId;
  readonly key: number;
  place: ResultPlace | undefined;
}

/**
 * Keeps the first entries of all that are added: a heap with the last of them on top, so that most of what is added to
 * a full one is refused by one comparison of numbers.
 */
export class TopEntries {
  readonly #limit: number;
  readonly #order: ResultOrder;
  readonly #heap: Ranked[] = [];
  /** The path of the one on top, when it was needed to compare with. */
  #path: PathBound | undefined;

  constructor(limit: number, order: ResultOrder) {
    this.#limit = limit;
    this.#order = order;
  }

  /** A greater key is refused. */
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

  /** Takes the last one out; undefined when there is none. */
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

  /** Adds one, and moves it up as far as it belongs. */
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

  /** Puts one in the place of the top, and moves it down as far as it belongs. */
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
