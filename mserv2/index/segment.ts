import { foldText } from '../../filesystem/folding.ts';
import type { Kind } from '../../filesystem/kind.ts';
import { isDead, isHidden, kindFacts } from './facts.ts';
import { coarse, LatinFolder } from './latin.ts';

/** No file system has longer ones (255 is usual). */
export const maxNameBytes = 4096;

const slash = 0x2f;
const dot = 0x2e;
const latin = LatinFolder.for(coarse);
/** Bytes that are a letter by themselves, in lower case; 0 for what needs a closer look: a slash, and all beyond ASCII. */
const lowered = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === slash || byte >= 0x80) return 0;
  return byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
});
/** Marks a spelling that says which of the first 31 letters are capitals; the name is ASCII then. */
export const capitals = 0x8000_0000;

/**
 * Some ten thousand entries, as columns: entry `n` is place `n` of each. Folded names lie one after the other in
 * UTF-8, with `/` around each, which no name holds, so that one `indexOf` looks through all of them.
 *
 * `spellings` tells how a name differs from its folded form: 0, not at all; with the top bit, by capitals; else it is 1 +
 * the place in `originals` of two bytes of length and the name's own bytes.
 */
export class Segment {
  count = 0;
  dead = 0;
  /** Where folded names start; the one after the last tells where the next will. */
  starts = new Uint32Array([1]);
  parents = new Uint32Array(0);
  facts = new Uint32Array(0);
  /** Bytes; of a folder, its number. */
  sizes = new Float64Array(0);
  /** Dates: whole milliseconds since 1970. */
  times = new Float64Array(0);
  spellings = new Uint32Array(0);
  names: Buffer = Buffer.of(slash);
  originals: Buffer = Buffer.alloc(0);
  originalsEnd = 0;

  /**
   * Before it grows there is room for so many entries,
   * @param nameBytes and for so many bytes of their names
   */
  constructor(places = 0, nameBytes = 1) {
    this.#resize(places);
    this.names = copyOf(this.names, 1, nameBytes);
  }

  get namesEnd(): number {
    return this.starts[this.count] ?? 0;
  }

  bytesUsed(): number {
    const columns = this.starts.byteLength + this.parents.byteLength + this.facts.byteLength;
    const wide = this.sizes.byteLength + this.times.byteLength + this.spellings.byteLength;
    return columns + wide + this.names.byteLength + this.originals.byteLength;
  }

  /**
   * Its name is what `bytes` has from `from` to the next slash, or to before `to`; its size and date are 0.
   * @returns where its name ends there
   * @throws RangeError for a name of no or too many bytes
   */
  append(bytes: Buffer, from: number, to: number, parent: number, kind: Kind): number {
    const slot = this.count;
    if (slot === this.parents.length) this.#resize(Math.max(16, slot * 2));
    const end = this.#appendName(bytes, from, to);
    this.parents[slot] = parent;
    this.facts[slot] = kindFacts(kind) | (bytes[from] === dot ? isHidden : 0);
    this.count++;
    return end;
  }

  /** Puts one of another segment, or of this one's past, at the end, with all that is known of it. */
  appendFrom(from: Segment, slot: number): void {
    const to = this.count;
    const start = from.starts[slot] ?? 0;
    const end = from.starts[slot + 1] ?? 0;
    const at = this.namesEnd;
    this.#reserveNames(at + end - start);
    from.names.copy(this.names, at, start, end);
    this.starts[to + 1] = at + end - start;
    const spelling = from.spellings[slot] ?? 0;
    this.spellings[to] =
      spelling === 0 || spelling >= capitals ? spelling : this.#appendOriginalOf(from, spelling);
    this.parents[to] = from.parents[slot] ?? 0;
    this.facts[to] = from.facts[slot] ?? 0;
    this.sizes[to] = from.sizes[slot] ?? 0;
    this.times[to] = from.times[slot] ?? 0;
    this.count++;
  }

  kill(slot: number): void {
    this.facts[slot] = (this.facts[slot] ?? 0) | isDead;
    this.dead++;
  }

  isDead(slot: number): boolean {
    return ((this.facts[slot] ?? 0) & isDead) !== 0;
  }

  /** Whether its name is what `name` has from `from` to before `to`. */
  isNamed(slot: number, name: Buffer, from: number, to: number): boolean {
    const spelling = this.spellings[slot] ?? 0;
    const isWrittenOut = spelling !== 0 && spelling < capitals;
    const bytes = isWrittenOut ? this.originals : this.names;
    const start = isWrittenOut ? spelling + 1 : (this.starts[slot] ?? 0);
    const length = isWrittenOut
      ? this.originals.readUInt16LE(spelling - 1)
      : (this.starts[slot + 1] ?? 0) - 1 - start;
    if (length !== to - from) return false;
    const bits = isWrittenOut ? 0 : spelling & ~capitals;
    for (let i = 0; i < length; i++) {
      const capital = i < 31 ? (bits >>> i) & 1 : 0;
      if ((bytes[start + i] ?? 0) - 32 * capital !== name[from + i]) return false;
    }
    return true;
  }

  /** Writes a name's own bytes to the start of `target`. @returns how many */
  copyName(slot: number, target: Buffer): number {
    const spelling = this.spellings[slot] ?? 0;
    const { names, originals } = this;
    if (spelling !== 0 && spelling < capitals) {
      const length = originals.readUInt16LE(spelling - 1);
      // A loop, here and below: for some twenty bytes a call of `copy` takes longer.
      for (let i = 0; i < length; i++) target[i] = originals[spelling + 1 + i] ?? 0;
      return length;
    }
    const start = this.starts[slot] ?? 0;
    const length = (this.starts[slot + 1] ?? 0) - 1 - start;
    for (let i = 0; i < length; i++) target[i] = names[start + i] ?? 0;
    for (let i = 0, bits = spelling & ~capitals; bits !== 0; i++, bits >>>= 1) {
      if ((bits & 1) !== 0) target[i] = (target[i] ?? 0) - 32;
    }
    return length;
  }

  /** Gives back what was reserved for growth. */
  trim(): void {
    this.#resize(this.count);
    this.names = copyOf(this.names, this.namesEnd, this.namesEnd);
    this.originals = copyOf(this.originals, this.originalsEnd, this.originalsEnd);
  }

  /** @returns where it ends in `bytes` */
  #appendName(bytes: Buffer, from: number, to: number): number {
    const start = this.namesEnd;
    this.#reserveNames(start + Math.min(to - from, maxNameBytes) * 2 + 1);
    const { names } = this;
    let at = start;
    let end = from;
    let bits = 0;
    let onlyCapitals = true;
    let changed = false;
    for (; end < to; end++) {
      const byte = bytes[end] ?? 0;
      const letter = lowered[byte] ?? 0;
      if (letter !== 0) {
        names[at++] = letter;
        if (letter === byte) continue;
        changed = true;
        if (end - from < 31) bits |= 1 << (end - from);
        else onlyCapitals = false;
      } else if (byte === slash) {
        break;
      } else {
        const trail = end + 1 < to ? (bytes[end + 1] ?? 0) : 0;
        const folded = latin.letter(byte, trail);
        if (folded === undefined) return this.#appendFolded(bytes, from, to);
        onlyCapitals = false;
        changed ||= folded.length !== 2 || folded[0] !== byte || folded[1] !== trail;
        for (let part = 0; part < folded.length; part++) names[at++] = folded[part] ?? 0;
        end++;
      }
    }
    refuseLength(end - from);
    this.#endName(at);
    if (!changed) this.spellings[this.count] = 0;
    else if (onlyCapitals) this.spellings[this.count] = bits | capitals;
    else this.spellings[this.count] = this.#appendOriginal(bytes, from, end);
    return end;
  }

  #appendFolded(bytes: Buffer, from: number, to: number): number {
    const next = bytes.indexOf(slash, from);
    const end = next < 0 ? to : Math.min(next, to);
    refuseLength(end - from);
    const start = this.namesEnd;
    const folded = foldText(bytes.toString('utf8', from, end), coarse);
    const length = Buffer.byteLength(folded);
    this.#reserveNames(start + length + 1);
    this.names.write(folded, start);
    this.#endName(start + length);
    const isSame = this.names.compare(bytes, from, end, start, start + length) === 0;
    this.spellings[this.count] = isSame ? 0 : this.#appendOriginal(bytes, from, end);
    return end;
  }

  #endName(end: number): void {
    this.names[end] = slash;
    this.starts[this.count + 1] = end + 1;
  }

  #appendOriginalOf({ originals }: Segment, spelling: number): number {
    const from = spelling + 1;
    return this.#appendOriginal(originals, from, from + originals.readUInt16LE(spelling - 1));
  }

  /** @returns the spelling that tells of it */
  #appendOriginal(bytes: Buffer, from: number, to: number): number {
    const at = this.originalsEnd;
    const end = at + 2 + to - from;
    if (end > this.originals.length) this.originals = copyOf(this.originals, at, grown(end));
    const { originals } = this;
    originals[at] = (to - from) & 0xff;
    originals[at + 1] = (to - from) >>> 8;
    for (let i = from; i < to; i++) originals[at + 2 + i - from] = bytes[i] ?? 0;
    this.originalsEnd = end;
    return at + 1;
  }

  #reserveNames(end: number): void {
    if (end > this.names.length) this.names = copyOf(this.names, this.namesEnd, grown(end));
  }

  #resize(places: number): void {
    if (places === this.parents.length) return;
    this.starts = resized(this.starts, new Uint32Array(places + 1));
    this.parents = resized(this.parents, new Uint32Array(places));
    this.facts = resized(this.facts, new Uint32Array(places));
    this.sizes = resized(this.sizes, new Float64Array(places));
    this.times = resized(this.times, new Float64Array(places));
    this.spellings = resized(this.spellings, new Uint32Array(places));
  }
}

function refuseLength(bytes: number): void {
  if (bytes === 0 || bytes > maxNameBytes) throw new RangeError('A name of no or too many bytes');
}

function grown(needed: number): number {
  return Math.max(64, Math.ceil(needed * 1.5));
}

function copyOf(bytes: Buffer, end: number, length: number): Buffer {
  // Not from Buffer's pool: a small piece would keep 8 KiB alive.
  const copy = Buffer.allocUnsafeSlow(length);
  bytes.copy(copy, 0, 0, end);
  return copy;
}

function resized<Column extends Uint32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from.length > to.length ? from.subarray(0, to.length) : from);
  return to;
}
