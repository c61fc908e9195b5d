import { randomBytes } from 'node:crypto';
import { type EntryId, type FolderNumber, noEntry } from './api.ts';

/** Access to entries; the table itself keeps only their ids. */
export interface NamedEntries {
  /** Returns whether the entry is in the folder and has the name in `bytes` from `from` to before `to`. */
  isNamed(entry: EntryId, folder: FolderNumber, bytes: Buffer, from: number, to: number): boolean;
  /** Returns `hashName` of the entry's folder and name. */
  hashOf(entry: EntryId): number;
}

const partitionBits = 8;

// A random seed: the makers of files must not be able to choose names that collide.
const seed = randomBytes(4).readInt32LE();

/**
 * Finds entries by folder and name: a hash table in 256 parts. Each part grows by itself, which takes a fraction of a
 * millisecond and little memory. A place holds an id + 1; 0 is free.
 */
export class NameTable {
  readonly #entries: NamedEntries;
  readonly #parts: Uint32Array[] = Array.from({ length: 1 << partitionBits }, () => new Uint32Array(8));
  readonly #counts = new Uint32Array(1 << partitionBits);

  constructor(entries: NamedEntries) {
    this.#entries = entries;
  }

  /** Number of entries. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Grows the table for so many entries. Slow when it has many already. */
  reserve(entries: number): void {
    const wanted = (entries / this.#parts.length) * 1.5;
    const length = 2 ** Math.max(3, Math.ceil(Math.log2(Math.max(1, wanted))));
    for (const [number, part] of this.#parts.entries()) {
      if (part.length < length) this.#parts[number] = this.#resized(part, length);
    }
  }

  bytesUsed(): number {
    return this.#parts.reduce((sum, part) => sum + part.byteLength, 0);
  }

  /**
   * Finds the entry with the name in `bytes` from `from` to before `to`. @param hash of the folder and the name
   */
  find(folder: FolderNumber, bytes: Buffer, from: number, to: number, hash: number): EntryId {
    const part = this.#partOf(hash);
    const mask = part.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const place = part[at] ?? 0;
      if (place === 0) return noEntry;
      if (this.#entries.isNamed(place - 1, folder, bytes, from, to)) return place - 1;
    }
  }

  /** Adds an entry that is not in the table. */
  add(entry: EntryId, hash: number): void {
    const number = hash >>> (32 - partitionBits);
    const part = this.#partOf(hash);
    const count = (this.#counts[number] ?? 0) + 1;
    this.#counts[number] = count;
    if (count * 4 <= part.length * 3) insert(part, entry, hash);
    else {
      // A small table grows in leaps, since every move reads an entry's name.
      const larger = this.#resized(part, part.length * (part.length < 512 ? 4 : 2));
      this.#parts[number] = larger;
      insert(larger, entry, hash);
    }
  }

  /** Removes an entry that is in the table. */
  remove(entry: EntryId): void {
    const hash = this.#entries.hashOf(entry);
    const number = hash >>> (32 - partitionBits);
    const part = this.#partOf(hash);
    this.#close(part, placeOf(part, entry, hash));
    const count = (this.#counts[number] ?? 0) - 1;
    this.#counts[number] = count;
    if (part.length > 8 && count * 8 < part.length) {
      this.#parts[number] = this.#resized(part, part.length / 2);
    }
  }

  /** Replaces an entry's old id. */
  move(from: EntryId, to: EntryId, hash: number): void {
    const part = this.#partOf(hash);
    part[placeOf(part, from, hash)] = to + 1;
  }

  #partOf(hash: number): Uint32Array {
    return this.#parts[hash >>> (32 - partitionBits)] as Uint32Array;
  }

  #resized(part: Uint32Array, length: number): Uint32Array {
    const resized = new Uint32Array(length);
    for (const place of part) {
      if (place !== 0) insert(resized, place - 1, this.#entries.hashOf(place - 1));
    }
    return resized;
  }

  /** Empties a place and moves later entries of its chain nearer, so that no search ends too early. */
  #close(part: Uint32Array, at: number): void {
    const mask = part.length - 1;
    let hole = at;
    for (let next = (hole + 1) & mask; ; next = (next + 1) & mask) {
      const place = part[next] ?? 0;
      if (place === 0) break;
      const wanted = this.#entries.hashOf(place - 1) & mask;
      if (((next - wanted) & mask) < ((next - hole) & mask)) continue;
      part[hole] = place;
      hole = next;
    }
    part[hole] = 0;
  }
}

function insert(part: Uint32Array, entry: EntryId, hash: number): void {
  const mask = part.length - 1;
  let at = hash & mask;
  while (part[at] !== 0) at = (at + 1) & mask;
  part[at] = entry + 1;
}

function placeOf(part: Uint32Array, entry: EntryId, hash: number): number {
  const mask = part.length - 1;
  let at = hash & mask;
  while (part[at] !== entry + 1) {
    if (part[at] === 0) throw new Error(`Entry ${entry} is not in the table`);
    at = (at + 1) & mask;
  }
  return at;
}

/**
 * Hashes a folder and the name in `bytes` from `from` to before `to`: FNV-1a with the finalizer of MurmurHash3.
 */
export function hashName(folder: FolderNumber, bytes: Buffer, from: number, to: number): number {
  let hash = seed ^ Math.imul(folder + 1, 0x9e3779b1);
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return mixed(hash);
}

function mixed(hash: number): number {
  let mixing = hash ^ (hash >>> 16);
  mixing = Math.imul(mixing, 0x85ebca6b);
  mixing ^= mixing >>> 13;
  mixing = Math.imul(mixing, 0xc2b2ae35);
  return (mixing ^ (mixing >>> 16)) >>> 0;
}
