import { Slices } from '../../filesystem/slices.ts';

/** A search that has worked for so long is a long one. Most take less. */
const longMs = 4;
/** So long it stands aside, after each slice of its own, for those that are short so far. */
const asideMs = 4;

/**
 * Lets short searches go first. It is not enough that a long one gives way between its slices: a short one waits for other
 * threads most of its time, and these need the processor that the long one would go on to use meanwhile. Nobody starves: who stands
 * aside goes on after a few milliseconds, whoever is there.
 */
export class Precedence {
  #short = 0;
  #aside: (() => void)[] = [];

  /**
   * To be disposed of when the search is over. While the tree is crawled, the index has a turn after each slice: a long search
   * would be over late if its slices became short, and then it would be the one that others wait for.
   */
  begin(signal: AbortSignal, crawling = false): SearchSlices {
    this.#short += 1;
    return new SearchSlices(new Slices(signal, crawling ? Infinity : longMs), {
      noLongerShort: () => {
        this.#short -= 1;
        if (this.#short > 0) return;
        for (const goOn of this.#aside.splice(0)) goOn();
      },
      standAside: () => this.#standAside(),
    });
  }

  async #standAside(): Promise<void> {
    if (this.#short === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, asideMs);
    this.#aside.push(resolve);
    await promise;
    clearTimeout(timer);
    this.#aside = this.#aside.filter((other) => other !== resolve);
  }
}

interface Manners {
  readonly noLongerShort: () => void;
  readonly standAside: () => Promise<void>;
}

/** The slices of one search. */
export class SearchSlices implements Disposable {
  readonly #slices: Slices;
  readonly #manners: Manners;
  #length: 'short' | 'long' = 'short';
  #workedMs = 0;
  #began = performance.now();

  constructor(slices: Slices, manners: Manners) {
    this.#slices = slices;
    this.#manners = manners;
  }

  /** The work begins now: what came before was waiting. */
  begin(): this {
    this.#began = performance.now();
    return this;
  }

  over(): boolean {
    return this.#slices.over();
  }

  /** @throws the signal's reason */
  async next(): Promise<void> {
    this.#workedMs += performance.now() - this.#began;
    if (this.#workedMs >= longMs) this.#growLong();
    await this.#slices.next();
    if (this.#length === 'long') await this.#manners.standAside();
    this.#began = performance.now();
  }

  [Symbol.dispose](): void {
    this.#growLong();
  }

  #growLong(): void {
    if (this.#length === 'long') return;
    this.#length = 'long';
    this.#manners.noLongerShort();
  }
}
