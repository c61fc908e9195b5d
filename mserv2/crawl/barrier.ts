export interface BarrierOptions {
  readonly scanners: number;
  /** Asks a scanner to answer once it has reported everything that happened so far. */
  readonly send: (scanner: number, id: number) => void;
  /** Returns whether everything reported is in the index. */
  readonly isQuiet: () => boolean;
}

/** One round of questions to all scanners; searches that wait before it begins share it. */
interface Round extends PromiseWithResolvers<void> {
  readonly id: number;
  readonly missing: Set<number>;
}

/** Lets a search wait until everything that happened before it is in the index. */
export class Barrier {
  readonly #options: BarrierOptions;
  #lastId = 0;
  /**
   * The round in progress. A new search cannot join it: a scanner may have answered before the latest change.
   */
  #current: Round | undefined;
  #next: Round | undefined;

  constructor(options: BarrierOptions) {
    this.#options = options;
  }

  /** Waits for the next round. @returns false when that took too long */
  async pass(timeoutMs: number): Promise<boolean> {
    const round = this.#join();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, false);
    });
    const inTime = await Promise.race([round.promise.then(() => true), late]);
    clearTimeout(timer);
    return inTime;
  }

  synced(scanner: number, id: number): void {
    if (this.#current?.id !== id) return;
    this.#current.missing.delete(scanner);
    this.look();
  }

  /** Ends the round if everything reported is in the index by now. */
  look(): void {
    const round = this.#current;
    if (round === undefined || round.missing.size > 0 || !this.#options.isQuiet()) return;
    this.#current = undefined;
    round.resolve();
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.#ask(next);
  }

  #join(): Round {
    if (this.#next !== undefined) return this.#next;
    const { scanners } = this.#options;
    this.#lastId += 1;
    const missing = new Set(Array.from({ length: scanners }, (_, scanner) => scanner));
    const round: Round = { id: this.#lastId, missing, ...Promise.withResolvers<void>() };
    if (this.#current === undefined) this.#ask(round);
    else this.#next = round;
    return round;
  }

  #ask(round: Round): void {
    this.#current = round;
    for (const scanner of round.missing) this.#options.send(scanner, round.id);
  }
}
