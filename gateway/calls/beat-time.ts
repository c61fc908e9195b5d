/** A clock error of 200 ppm adds up to 24 ms over two such windows. */
const windowMs = 60_000;

/**
 * Converts a service's beat times, which another machine's clock gave, to the gateway's clock. The offset comes from the
 * fastest beat of the last one or two minutes, whose transit time is taken as zero. It exposes a late beat, such as one
 * that waited in a buffer while this process or the network was held up.
 */
export class BeatTime {
  #leastOffset = Number.POSITIVE_INFINITY;
  #previousLeastOffset = Number.POSITIVE_INFINITY;
  #windowEnds = Number.NEGATIVE_INFINITY;

  /** Both times are from monotonic clocks, in milliseconds. Returns at most `receivedAt`. */
  of(beatMs: number, receivedAt: number): number {
    if (receivedAt >= this.#windowEnds) {
      this.#previousLeastOffset = this.#leastOffset;
      this.#leastOffset = Number.POSITIVE_INFINITY;
      this.#windowEnds = receivedAt + windowMs;
    }
    this.#leastOffset = Math.min(this.#leastOffset, receivedAt - beatMs);
    return beatMs + Math.min(this.#leastOffset, this.#previousLeastOffset);
  }
}
