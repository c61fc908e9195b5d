import type { Segment } from './segment.ts';

/**
 * The entries that are worth a look. All of a segment's names lie in one piece, so those that have some bytes in them are
 * found by searching that piece and then looking whose name it is that was hit.
 */
export class Candidates {
  readonly #needle: Buffer | undefined;
  /** From where a needle that begins with the `/` before a name is looked for: that one belongs to the name. */
  readonly #lead: number;

  /** @param needle as in `Matcher` */
  constructor(needle: Buffer | undefined) {
    this.#needle = needle;
    this.#lead = needle?.[0] === 0x2f ? 1 : 0;
  }

  /** The first at or after `slot`; `count` or more when there is none. */
  next(segment: Segment, slot: number): number {
    const needle = this.#needle;
    const { count } = segment;
    if (needle === undefined || slot >= count) return slot;
    const from = (segment.starts[slot] ?? 0) - this.#lead;
    const hit =
      needle.length === 1 ? indexOfByte(segment, needle[0] ?? 0, from) : segment.names.indexOf(needle, from);
    // Behind the last name lies what an earlier, longer buffer may have left.
    if (hit < 0 || hit + this.#lead >= segment.namesEnd) return count;
    return slotAt(segment, slot, hit + this.#lead);
  }
}

/** For one byte a loop: hits are many then, and a call of Buffer's `indexOf` takes as long as reading a hundred bytes. */
function indexOfByte({ names, namesEnd }: Segment, byte: number, from: number): number {
  for (let at = from; at < namesEnd; at++) if (names[at] === byte) return at;
  return -1;
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
