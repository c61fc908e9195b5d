import { randomBytes } from 'node:crypto';
import type { ByteString } from '../../filesystem/byte-string.ts';
import { type EntryId, type FolderNumber, noEntry } from './api.ts';

/** What the table needs to know of entries; it keeps nothing of them but their ids. */
export interface NamedEntries {
  isNamed(entry: EntryId, folder: FolderNumber, name: ByteString): boolean;
  /** `hashName` of the entry's folder and name. */
  hashOf(entry: EntryId): number;
}

const partitionBits = 8;

// Whoever makes files must not know which names fall together.
const seed = randomBytes(4).readInt32LE();

/**
 * Finds entries by folder and name. A hash table in 256 parts, each of which grows by itself, so that growth takes a
 * fraction of a millisecond and needs little memory at a time. A place holds an id + 1; 0 is free.
 */
export class NameTable {
  readonly #entries: NamedEntries;
  readonly #parts: Uint32Array[] = Array.from({ length: 1 << partitionBits }, () => new Uint32Array(8));
  readonly #counts = new Uint32Array(1 << partitionBits);

  constructor(entries: NamedEntries) {
    this.#entries = entries;
  }

  /** Makes an empty table as large as it will have to be for so many entries. */
  reserve(entries: number): void {
    const wanted = (entries / this.#parts.length) * 1.5;
    const length = 2 ** Math.max(3, Math.ceil(Math.log2(Math.max(1, wanted))));
    for (const number of this.#parts.keys()) this.#parts[number] = new Uint32Array(length);
  }

  bytesUsed(): number {
    return this.#parts.reduce((sum, part) => sum + part.byteLength, 0);
  }

  /** @param hash of the two */
  find(folder: FolderNumber, name: ByteString, hash: number): EntryId {
    const part = this.#partOf(hash);
    const mask = part.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const place = part[at] ?? 0;
      if (place === 0) return noEntry;
      if (this.#entries.isNamed(place - 1, folder, name)) return place - 1;
    }
  }

  /** Adds what is not in it. */
  add(entry: EntryId, hash: number): void {
    const number = hash >>> (32 - partitionBits);
    const part = this.#partOf(hash);
    const count = (this.#counts[number] ?? 0) + 1;
    this.#counts[number] = count;
    if (count * 4 <= part.length * 3) insert(part, entry, hash);
    else {
      // In leaps while it is small, since every entry that moves has its name read.
      const larger = this.#resized(part, part.length * (part.length < 512 ? 4 : 2));
      this.#parts[number] = larger;
      insert(larger, entry, hash);
    }
  }

  /** Takes out what is in it. */
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

  /** An entry, given by its old id, has a new one. */
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

  /** Empties a place, and lets what had to go further than it come nearer, so that no search ends too early. */
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

/** Of a folder and a name: FNV-1a, mixed at the end as in MurmurHash3. */
export function hashName(folder: FolderNumber, name: ByteString): number {
  let hash = seed ^ Math.imul(folder + 1, 0x9e3779b1);
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

/** The same of a name's own bytes. */
export function hashBytes(folder: FolderNumber, name: Uint8Array, length: number): number {
  let hash = seed ^ Math.imul(folder + 1, 0x9e3779b1);
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ (name[i] ?? 0), 0x01000193);
  return mixed(hash);
}

function mixed(hash: number): number {
  let mixing = hash ^ (hash >>> 16);
  mixing = Math.imul(mixing, 0x85ebca6b);
  mixing ^= mixing >>> 13;
  mixing = Math.imul(mixing, 0xc2b2ae35);
  return (mixing ^ (mixing >>> 16)) >>> 0;
}
