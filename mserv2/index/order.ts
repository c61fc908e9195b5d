import { type ByteString, toBytes } from '../../filesystem/byte-string.ts';
import { invalidCursor } from '../../filesystem/cursor.ts';
import { Kind } from '../../filesystem/kind.ts';
import type { EntryId } from './api.ts';
import { hasStats, kindIn, nanosecondsMask } from './facts.ts';
import { PathBound } from './path-bound.ts';
import type { Reading } from './reading.ts';
import type { SearchOrder } from './search-api.ts';
import { maxNameBytes, type Segment } from './segment.ts';

/** A place in an order: an entry's, or the one that a cursor tells, where there may be none any more. */
export interface Place {
  /** Compared first. */
  readonly key: number;
  /** Nanoseconds, when `key` is a date. */
  readonly minor: number;
  readonly path: PathBound;
}

const scratch = Buffer.alloc(maxNameBytes);

/**
 * Which of two entries comes first, told in three steps, the later ones seldom needed: by a number, the key; by
 * the rest of what the order goes by; by their paths, in byte order. `descending` turns the first two around, and
 * the paths only when they are what the order goes by.
 */
export class Order {
  readonly #by: SearchOrder;
  readonly #sign: 1 | -1;
  readonly #pathSign: 1 | -1;
  readonly #reading: Reading;

  constructor(by: SearchOrder, descending: boolean, reading: Reading) {
    this.#by = by;
    this.#sign = descending ? -1 : 1;
    this.#pathSign = descending && by === 'ruta' ? -1 : 1;
    this.#reading = reading;
  }

  /** @param relevance what the matcher said */
  keyOf(segment: Segment, slot: number, relevance: number): number {
    const facts = segment.facts[slot] ?? 0;
    switch (this.#by) {
      case 'relevancia':
        return relevance * this.#sign;
      case 'nombre':
        return firstBytes(scratch, segment.copyName(slot, scratch)) * this.#sign;
      case 'ruta':
        return 0;
      case 'bytes':
        // What has no size comes before the empty file.
        if ((facts & hasStats) === 0 || kindIn(facts) === Kind.FOLDER) return -this.#sign;
        return (segment.sizes[slot] ?? 0) * this.#sign;
      case 'modificado':
        return ((facts & hasStats) === 0 ? -Infinity : (segment.times[slot] ?? 0)) * this.#sign;
    }
  }

  /** Compares two entries whose keys are equal. */
  compareTied(a: EntryId, b: EntryId): number {
    const reading = this.#reading;
    if (this.#by === 'modificado') {
      const difference = this.#minorOf(a) - this.#minorOf(b);
      if (difference !== 0) return difference * this.#sign;
    } else if (this.#by === 'nombre') {
      const difference = reading.compareNames(a, b);
      if (difference !== 0) return difference * this.#sign;
    }
    return reading.comparePaths(a, b) * this.#pathSign;
  }

  /** Compares an entry with a place whose key is equal. */
  compareTiedTo(entry: EntryId, place: Place): number {
    const segment = this.#reading.segmentOf(entry);
    const slot = this.#reading.placeOf(entry);
    if (this.#by === 'modificado') {
      const difference = this.#minorOf(entry) - place.minor;
      if (difference !== 0) return difference * this.#sign;
    } else if (this.#by === 'nombre') {
      const difference = place.path.compareName(segment, slot);
      if (difference !== 0) return difference * this.#sign;
    }
    return place.path.compare(segment, slot) * this.#pathSign;
  }

  placeOf(entry: EntryId, key: number): Place {
    const path = new PathBound(this.#reading, toBytes(this.#reading.pathOf(entry)));
    return { key, minor: this.#minorOf(entry), path };
  }

  /** A place as the position of a cursor. Only what the path does not tell is written before it. */
  positionOf({ key, minor, path }: Place): ByteString {
    const told = path.path.toString('latin1');
    if (this.#by === 'nombre' || this.#by === 'ruta') return told as ByteString;
    // Not -0, which is written like 0 and is the same to every comparison.
    const value = String(key * this.#sign);
    return `${this.#by === 'modificado' ? `${value}+${minor}` : value}/${told}` as ByteString;
  }

  /** @throws FileError `cursor-no-valido` */
  placeAt(position: ByteString): Place {
    const isTold = this.#by === 'nombre' || this.#by === 'ruta';
    const pattern = isTold ? /^()()(.+)$/s : /^(-?[0-9]{1,20}|-Infinity)(?:\+([0-9]{1,6}))?\/(.+)$/s;
    const [, key = '', minor = '', told] = pattern.exec(position) ?? [];
    if (told === undefined) throw invalidCursor();
    const path = toBytes(told as ByteString);
    const name = path.subarray(path.lastIndexOf('/') + 1);
    const value = this.#by === 'nombre' ? firstBytes(name, name.length) : Number(key);
    return { key: value * this.#sign, minor: Number(minor), path: new PathBound(this.#reading, path) };
  }

  #minorOf(entry: EntryId): number {
    return (this.#reading.segmentOf(entry).facts[this.#reading.placeOf(entry)] ?? 0) & nanosecondsMask;
  }
}

/** The first six bytes as one number, which is as many as fit exactly. */
function firstBytes(name: Uint8Array, length: number): number {
  let value = 0;
  for (let i = 0; i < 6; i++) value = value * 256 + (i < length ? (name[i] ?? 0) : 0);
  return value;
}
