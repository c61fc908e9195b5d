import { foldText } from '../../filesystem/folding.ts';
import type { Kind } from '../../filesystem/kind.ts';
import type { FolderListing } from './api.ts';
import { isDead, isHidden, kindFacts } from './facts.ts';
import { coarse } from './latin.ts';
import { bytesRead, ends, foldedNames, foldNames, originalNames, spellings } from './name-fold.ts';

/** Longest name in bytes; no file system has longer ones (255 is usual). */
export const maxNameBytes = 4096;

const slash = 0x2f;
const dot = 0x2e;
/** Flag of a spelling that lists which of the first 31 letters of an ASCII name are capitals. */
export const capitals = 0x8000_0000;

/**
 * Some ten thousand entries, as columns: entry `n` is place `n` of each. Folded names lie in one UTF-8 buffer with
 * `/` around each, which no name contains, so that one `indexOf` searches all of them.
 *
 * `spellings` says how a name differs from its folded form: 0, not at all; with the top bit, by capitals; else it is
 * 1 + the position in `originals` of two bytes of length and the name's own bytes.
 */
export class Segment {
  count = 0;
  dead = 0;
  /** Begins of the folded names; one more is the begin of the next name. */
  starts = new Uint32Array([1]);
  parents = new Uint32Array(0);
  facts = new Uint32Array(0);
  /** Size in bytes; a folder's number. */
  sizes = new Float64Array(0);
  /** Date in whole milliseconds since 1970. */
  times = new Float64Array(0);
  spellings = new Uint32Array(0);
  names: Buffer = Buffer.of(slash);
  originals: Buffer = Buffer.alloc(0);
  originalsEnd = 0;

  /**
   * Makes a segment with room for so many entries before it grows,
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
   * Appends the entries of a listing from the `first` to before `until`, in one folder; their sizes and dates are 0.
   * @param from begin of the first name
   * @returns the begin of the name after the last one
   * @throws RangeError for a name that is empty or too long; none is appended then
   */
  append(
    { names, end, kinds }: FolderListing,
    from: number,
    first: number,
    until: number,
    parent: number,
  ): number {
    const count = this.count + until - first;
    if (count > this.parents.length) this.#resize(Math.max(16, this.count * 2, count));
    const before = this.count;
    let at = from;
    try {
      while (this.count < count) {
        const folded = foldNames(names, at, end, count - this.count, this.namesEnd, this.originalsEnd);
        at += folded === 0 ? this.#appendName(names, at, end) : this.#appendFolded(folded);
        this.count += Math.max(1, folded);
      }
    } catch (error) {
      this.count = before;
      throw error;
    }
    this.parents.fill(parent, before, count);
    for (let slot = before; slot < count; slot++) {
      this.facts[slot] = (this.facts[slot] ?? 0) | kindFacts(kinds[first + slot - before] as Kind);
    }
    return at;
  }

  /** Appends an entry of another segment, or of an older version of this one, with all its data. */
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

  /** Returns whether an entry's name is that in `name` from `from` to before `to`. */
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

  /** Writes a name's original bytes to the start of `target`. @returns their number */
  copyName(slot: number, target: Buffer): number {
    const spelling = this.spellings[slot] ?? 0;
    const { names, originals } = this;
    if (spelling !== 0 && spelling < capitals) {
      const length = originals.readUInt16LE(spelling - 1);
      // A loop, here and below: for some twenty bytes, calling `copy` takes longer.
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

  /** Releases the room reserved for growth. */
  trim(): void {
    this.#resize(this.count);
    this.names = copyOf(this.names, this.namesEnd, this.namesEnd);
    this.originals = copyOf(this.originals, this.originalsEnd, this.originalsEnd);
  }

  /** Appends the first of the names that were folded together. @returns its bytes in the listing */
  #appendFolded(count: number): number {
    const folded = foldedNames();
    const start = this.namesEnd;
    this.#reserveNames(start + folded.length);
    this.names.set(folded, start);
    const originals = originalNames();
    if (originals.length > 0) {
      this.#reserveOriginals(this.originalsEnd + originals.length);
      this.originals.set(originals, this.originalsEnd);
      this.originalsEnd += originals.length;
    }
    for (let i = 0, slot = this.count; i < count; i++, slot++) {
      this.facts[slot] = this.names[this.starts[slot] ?? 0] === dot ? isHidden : 0;
      this.starts[slot + 1] = ends[i] ?? 0;
      this.spellings[slot] = spellings[i] ?? 0;
    }
    return bytesRead();
  }

  /** Appends a name that is not Latin. */
  #appendName(bytes: Buffer, from: number, to: number): number {
    const next = bytes.indexOf(slash, from);
    const end = next < 0 ? to : Math.min(next, to);
    if (end === from || end - from > maxNameBytes) throw new RangeError('A name of no or too many bytes');
    const start = this.namesEnd;
    const slot = this.count;
    const folded = foldText(bytes.toString('utf8', from, end), coarse);
    const length = Buffer.byteLength(folded);
    this.#reserveNames(start + length + 1);
    this.names.write(folded, start);
    this.names[start + length] = slash;
    this.starts[slot + 1] = start + length + 1;
    const isSame = this.names.compare(bytes, from, end, start, start + length) === 0;
    this.spellings[slot] = isSame ? 0 : this.#appendOriginal(bytes, from, end);
    this.facts[slot] = bytes[from] === dot ? isHidden : 0;
    return end + 1 - from;
  }

  #appendOriginalOf({ originals }: Segment, spelling: number): number {
    const from = spelling + 1;
    return this.#appendOriginal(originals, from, from + originals.readUInt16LE(spelling - 1));
  }

  /** Stores an original. @returns its spelling */
  #appendOriginal(bytes: Buffer, from: number, to: number): number {
    const at = this.originalsEnd;
    const end = at + 2 + to - from;
    this.#reserveOriginals(end);
    this.originals.writeUInt16LE(to - from, at);
    bytes.copy(this.originals, at + 2, from, to);
    this.originalsEnd = end;
    return at + 1;
  }

  #reserveNames(end: number): void {
    if (end > this.names.length) this.names = copyOf(this.names, this.namesEnd, grown(end));
  }

  #reserveOriginals(end: number): void {
    if (end > this.originals.length) this.originals = copyOf(this.originals, this.originalsEnd, grown(end));
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

function grown(needed: number): number {
  return Math.max(64, Math.ceil(needed * 1.5));
}

function copyOf(bytes: Buffer, end: number, length: number): Buffer {
  // Not from Buffer's pool: a small view would keep 8 KiB alive.
  const copy = Buffer.allocUnsafeSlow(length);
  bytes.copy(copy, 0, 0, end);
  return copy;
}

function resized<Column extends Uint32Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from.length > to.length ? from.subarray(0, to.length) : from);
  return to;
}
