import { ByteScan } from './byte-scan.ts';
import type { Segment } from './segment.ts';

/**
 * Finds the entries that may match. All names of a segment lie in one buffer: the needle is searched there, and each
 * hit is traced to its entry.
 */
export class Candidates {
  readonly #scan: ByteScan | undefined;
  /** Begin of the search for a needle that begins with the `/` before a name, which belongs to the name. */
  readonly #lead: number;
  /** The segment searched last, its hits, and the next one of them. */
  #segment: Segment | undefined;
  #places = new Uint32Array(0);
  #next = 0;

  /**
   * @param needle as in `Matcher`
   * @param segments the segments to search
   */
  constructor(needle: Buffer | undefined, segments: readonly Segment[]) {
    this.#scan = needle && new ByteScan(needle, rarestIn(needle, segments));
    this.#lead = needle?.[0] === 0x2f ? 1 : 0;
  }

  /**
   * Returns the first candidate at or after `slot`; `count` or more when there is none. Call it for one segment after
   * the other, each from its begin; entries added meanwhile are not seen.
   */
  next(segment: Segment, slot: number): number {
    if (this.#scan === undefined || slot >= segment.count) return slot;
    if (segment !== this.#segment) {
      this.#segment = segment;
      this.#places = this.#scan.places(segment.names, segment.namesEnd);
      this.#next = 0;
    }
    const from = (segment.starts[slot] ?? 0) - this.#lead;
    const places = this.#places;
    let next = this.#next;
    // Further hits in the name of the entry before.
    while ((places[next] ?? Infinity) < from) next++;
    this.#next = next;
    const place = places[next];
    return place === undefined ? segment.count : slotAt(segment, slot, place + this.#lead);
  }
}

/** Bytes of names that are counted for the frequencies. */
const sample = { segments: 8, bytes: 2048 };

/** Returns the positions of the needle's two bytes that are rarest in names, which skip most of the text. */
function rarestIn(needle: Buffer, segments: readonly Segment[]): readonly [number, number] {
  const counts = new Uint32Array(256);
  const every = Math.max(1, Math.floor(segments.length / sample.segments));
  for (let number = 0; number < segments.length; number += every) {
    const { names, namesEnd } = segments[number] as Segment;
    const end = Math.min(namesEnd, sample.bytes);
    for (let at = 0; at < end; at++) counts[names[at] ?? 0] = (counts[names[at] ?? 0] ?? 0) + 1;
  }
  const countAt = (at: number): number => counts[needle[at] ?? 0] ?? 0;
  const [one = 0, other = one] = [...needle.keys()].sort((a, b) => countAt(a) - countAt(b));
  return [one, other];
}

/** Returns the entry, at or after `slot`, whose name contains an offset. */
function slotAt({ starts, count }: Segment, slot: number, offset: number): number {
  // Gallops, then bisects: near hits take a step or two, far ones a few.
  let step = 1;
  let low = slot;
  while (low + step < count && (starts[low + step] ?? 0) <= offset) {
    low += step;
    step *= 2;
  }
  let high = Math.min(low + step, count);
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low;
}
