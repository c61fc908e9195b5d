import { setImmediate } from 'node:timers/promises';
import { LedgerUnavailableError } from '../ledger.ts';

interface Waiting<Item, Result> extends PromiseWithResolvers<Result> {
  readonly item: Item;
}

export interface BatchOptions<Item, Result> {
  /** Returns each item's result or error, in order. An error that it throws applies to every item. */
  readonly run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>;
  /** Two items of one id are never in one batch: the second runs after the first. */
  readonly idOf?: (item: Item) => string;
  /** Returns the bytes of an item. A batch is closed once it has `maxBytes`. */
  readonly bytesOf?: (item: Item) => number;
}

const maxItems = 500;
const maxBytes = 1_000_000;

/**
 * Gathers calls into statements. Only one batch runs at a time, and calls that arrive meanwhile form the next: the slower
 * the database, the more calls share a commit.
 */
export class Batches<Item, Result> {
  readonly #options: BatchOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #working: Promise<void> | undefined;

  constructor(options: BatchOptions<Item, Result>) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(item: Item): Promise<Result> {
    const waiting = { item, ...Promise.withResolvers<Result>() };
    this.#waiting.push(waiting);
    this.#working ??= this.#work();
    return waiting.promise;
  }

  async #work(): Promise<void> {
    // Calls of one turn of the event loop share a batch.
    await setImmediate();
    while (this.#waiting.length > 0) await this.#settle(this.#take());
    this.#working = undefined;
  }

  #take(): Waiting<Item, Result>[] {
    const { idOf, bytesOf } = this.#options;
    const ids = new Set<string>();
    let bytes = 0;
    let count = 0;
    for (const { item } of this.#waiting) {
      const id = idOf?.(item) ?? '';
      if (count === maxItems || bytes >= maxBytes || ids.has(id)) break;
      if (idOf !== undefined) ids.add(id);
      bytes += bytesOf?.(item) ?? 0;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /** Settles a batch. A statement fails as a whole, so after a bad value each item is tried alone. */
  async #settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result instanceof Error) reject(result);
        else resolve(result as Result);
      });
    } catch (error) {
      if (batch.length === 1 || error instanceof LedgerUnavailableError) {
        for (const { reject } of batch) reject(error);
      } else {
        for (const item of batch) await this.#settle([item]);
      }
    }
  }
}
