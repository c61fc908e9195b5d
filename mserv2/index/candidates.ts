import type { Segment } from './segment.ts';

/**
 * The entries that are worth a look. All of a segment's names lie in one piece, so those that have some bytes in them are
 * found by searching that piece and then looking whose name it is that was hit.
 */
export class Candidates {
  readonly #needle: Buffer | undefined;
  /** The needle without so many bytes at its beginning is what is looked for. */
  readonly #skipped: number;
  readonly #rest: Buffer;
  /** From where a needle that begins with the `/` before a name is looked for: that one belongs to the name. */
  readonly #lead: number;

  /**
   * @param needle as in `Matcher`
   * @param segments where it will be looked for
   */
  constructor(needle: Buffer | undefined, segments: readonly Segment[]) {
    this.#needle = needle;
    this.#skipped = needle === undefined ? 0 : rarestAt(needle, segments);
    this.#rest = needle?.subarray(this.#skipped) ?? Buffer.alloc(0);
    this.#lead = needle?.[0] === 0x2f ? 1 : 0;
  }

  /** The first at or after `slot`; `count` or more when there is none. */
  next(segment: Segment, slot: number): number {
    const needle = this.#needle;
    const { count } = segment;
    if (needle === undefined || slot >= count) return slot;
    const from = (segment.starts[slot] ?? 0) - this.#lead;
    const hit =
      needle.length === 1 ? indexOfByte(segment, needle[0] ?? 0, from) : this.#indexOf(needle, segment, from);
    // Behind the last name lies what an earlier, longer buffer may have left.
    if (hit < 0 || hit + this.#lead >= segment.namesEnd) return count;
    return slotAt(segment, slot, hit + this.#lead);
  }

  #indexOf(needle: Buffer, { names }: Segment, from: number): number {
    let hit = names.indexOf(this.#rest, from + this.#skipped);
    while (hit >= 0 && !this.#isBefore(names, hit, needle)) hit = names.indexOf(this.#rest, hit + 1);
    return hit < 0 ? -1 : hit - this.#skipped;
  }

  /** Whether what comes before a hit is what was skipped. */
  #isBefore(names: Buffer, hit: number, needle: Buffer): boolean {
    for (let i = 1; i <= this.#skipped; i++) {
      if (names[hit - i] !== needle[this.#skipped - i]) return false;
    }
    return true;
  }
}

/** So much of a needle is kept at least, since what is shorter is in more names. */
const leastBytes = 3;
/** Bytes of names that are counted. */
const sample = { segments: 8, bytes: 2048 };

/**
 * Where in a needle its rarest byte is, if enough follows it. Buffer's `indexOf` leaps from one first byte to the next, and
 * they are everywhere in names when that is a vowel or a `_`: a rare name takes a third of the time.
 */
function rarestAt(needle: Buffer, segments: readonly Segment[]): number {
  if (needle.length <= leastBytes) return 0;
  const counts = new Uint32Array(256);
  const every = Math.max(1, Math.floor(segments.length / sample.segments));
  for (let number = 0; number < segments.length; number += every) {
    const { names, namesEnd } = segments[number] as Segment;
    const end = Math.min(namesEnd, sample.bytes);
    for (let at = 0; at < end; at++) counts[names[at] ?? 0] = (counts[names[at] ?? 0] ?? 0) + 1;
  }
  const countAt = (at: number): number => counts[needle[at] ?? 0] ?? 0;
  let rarest = 0;
  for (let at = 1; at <= needle.length - leastBytes; at++) if (countAt(at) < countAt(rarest)) rarest = at;
  return rarest;
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
