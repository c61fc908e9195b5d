/**
 * Keeps the `size` smallest of the added items. So one page of a huge folder needs neither a full sort nor memory for
 * all its entries.
 */
export class Smallest<Item> {
  readonly #size: number;
  readonly #compare: (a: Item, b: Item) => number;
  #kept: Item[] = [];
  /** The largest kept item, once there are `size` items. */
  #bound: Item | undefined;

  constructor(size: number, compare: (a: Item, b: Item) => number) {
    this.#size = size;
    this.#compare = compare;
  }

  add(item: Item): void {
    if (this.#bound !== undefined && this.#compare(item, this.#bound) > 0) return;
    this.#kept.push(item);
    // Sorting only at twice the size keeps the cost at a few comparisons per item.
    if (this.#kept.length >= 2 * this.#size) this.#cut();
  }

  /** Returns the items in order. */
  items(): Item[] {
    this.#cut();
    return this.#kept;
  }

  #cut(): void {
    this.#kept.sort(this.#compare);
    if (this.#kept.length < this.#size) return;
    this.#kept.length = this.#size;
    this.#bound = this.#kept[this.#size - 1];
  }
}
