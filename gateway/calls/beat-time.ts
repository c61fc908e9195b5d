/** A clock that is slower or faster than ours by 200 ppm is 24 ms off after this long, twice. */
const windowMs = 60_000;

/**
 * Tells, on our clock, when beats were true that carry the time of another machine's clock. The two have nothing to do with
 * each other; but the beat that was fastest on its way, of those of the last minute or two, took next to no time. By that
 * one a beat is known that is late: one that waited in a buffer while this process, or the line, was held up.
 */
export class BeatTime {
  #least = Number.POSITIVE_INFINITY;
  #leastBefore = Number.POSITIVE_INFINITY;
  #windowEnds = Number.NEGATIVE_INFINITY;

  /** Both clocks are monotonic, in milliseconds. Never later than `receivedAt`. */
  of(beatMs: number, receivedAt: number): number {
    if (receivedAt >= this.#windowEnds) {
      this.#leastBefore = this.#least;
      this.#least = Number.POSITIVE_INFINITY;
      this.#windowEnds = receivedAt + windowMs;
    }
    this.#least = Math.min(this.#least, receivedAt - beatMs);
    return beatMs + Math.min(this.#least, this.#leastBefore);
  }
}
