import { setImmediate } from 'node:timers/promises';
import { LedgerUnavailableError } from '../ledger.ts';

interface Waiting<Item, Result> extends PromiseWithResolvers<Result> {
  readonly item: Item;
}

export interface BatchOptions<Item, Result> {
  /** Gives a result, or the error, of each item, in their order. What it throws is of all of them. */
  readonly run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>;
  /** Two items of one id are never in the same batch: the second is done after the first. */
  readonly idOf?: (item: Item) => string;
  /** Bytes that an item carries. A batch takes no more once it has `mostBytes`. */
  readonly bytesOf?: (item: Item) => number;
}

const mostItems = 500;
const mostBytes = 1_000_000;

/**
 * Gathers calls into statements. One batch is under way at a time, and what comes meanwhile makes the next one: the
 * slower the database is, the more calls share a commit.
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
    // The calls of one turn of the event loop leave together.
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
      if (count === mostItems || bytes >= mostBytes || ids.has(id)) break;
      if (idOf !== undefined) ids.add(id);
      bytes += bytesOf?.(item) ?? 0;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  /** A statement fails as a whole. When that is the fault of one item's values, each item is tried alone. */
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
        for (const one of batch) await this.#settle([one]);
      }
    }
  }
}
