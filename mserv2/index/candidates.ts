import { ByteScan } from './byte-scan.ts';
import type { Segment } from './segment.ts';

/**
 * The entries that are worth a look. All of a segment's names lie in one piece, so those that have some bytes in them are
 * found by searching that piece and then looking whose name it is that was hit.
 */
export class Candidates {
  readonly #scan: ByteScan | undefined;
  /** From where a needle that begins with the `/` before a name is looked for: that one belongs to the name. */
  readonly #lead: number;
  /** The segment that was searched last, where the needle is in its names, and which of these comes next. */
  #segment: Segment | undefined;
  #places = new Uint32Array(0);
  #next = 0;

  /**
   * @param needle as in `Matcher`
   * @param segments where it will be looked for
   */
  constructor(needle: Buffer | undefined, segments: readonly Segment[]) {
    this.#scan = needle && new ByteScan(needle, rarestIn(needle, segments));
    this.#lead = needle?.[0] === 0x2f ? 1 : 0;
  }

  /**
   * The first at or after `slot`; `count` or more when there is none. Segments are gone through one after the other, and each
   * from its beginning on; what is put into one meanwhile is not seen.
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
    // What else the needle is in the name of the one before.
    while ((places[next] ?? Infinity) < from) next++;
    this.#next = next;
    const place = places[next];
    return place === undefined ? segment.count : slotAt(segment, slot, place + this.#lead);
  }
}

/** Bytes of names that are counted. */
const sample = { segments: 8, bytes: 2048 };

/** Where in a needle the two bytes are that are rarest in names: places where they are not are passed over fastest. */
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

/** The entry, at or after `slot`, in whose name an offset lies. */
function slotAt({ starts, count }: Segment, slot: number, offset: number): number {
  // Leaps until it is passed, then halves: near hits are found in a step or two, far ones in a few.
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
