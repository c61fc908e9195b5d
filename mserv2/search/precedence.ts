import { Slices } from '../../filesystem/slices.ts';

/** Work after which a search counts as long. Most take less. */
const longMs = 4;
/** Pause of a long search, after each of its slices, while short ones run. */
const asideMs = 4;

/**
 * Lets short searches go first. Yielding between slices is not enough: a short search mostly waits for other threads,
 * which need the processor that the long one would use meanwhile. No search starves: the pause is a few milliseconds,
 * whatever else runs.
 */
export class Precedence {
  #short = 0;
  #aside: (() => void)[] = [];

  /**
   * Begins a search; dispose of the result at its end. During a crawl the index works after each slice, so slices
   * stay long: shorter ones would make a long search last, and others would wait for it.
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

/** Slices of one search. */
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

  /** Starts the clock: the search has only waited so far. */
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
