/**
 * Keeps the `size` smallest of all that is added, so that one page of a huge folder is neither sorted nor held as a
 * whole.
 */
export class Smallest<Item> {
  readonly #size: number;
  readonly #compare: (a: Item, b: Item) => number;
  #kept: Item[] = [];
  /** The largest that still counts, once there are `size`. */
  #bound: Item | undefined;

  constructor(size: number, compare: (a: Item, b: Item) => number) {
    this.#size = size;
    this.#compare = compare;
  }

  add(item: Item): void {
    if (this.#bound !== undefined && this.#compare(item, this.#bound) > 0) return;
    this.#kept.push(item);
    // Sorting at twice the size makes it a few comparisons per item.
    if (this.#kept.length >= 2 * this.#size) this.#cut();
  }

  /** In order. */
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
