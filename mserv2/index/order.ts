import { type ByteString, toBytes } from '../../filesystem/byte-string.ts';
import { invalidCursor } from '../../filesystem/cursor.ts';
import { Kind } from '../../filesystem/kind.ts';
import type { EntryId } from './api.ts';
import { hasStats, kindIn, nanosecondsMask } from './facts.ts';
import { PathBound } from './path-bound.ts';
import type { ReadView } from './read-view.ts';
import type { SearchOrder } from './search-api.ts';
import { maxNameBytes, type Segment } from './segment.ts';

/** A place in an order: an entry's, or a cursor's, whose entry may be gone. */
export interface ResultPlace {
  /** The key, compared first. */
  readonly key: number;
  /** Nanoseconds, when `key` is a date. */
  readonly minor: number;
  readonly path: ByteString;
}

const scratch = Buffer.alloc(maxNameBytes);

/**
 * Compares entries in three steps: by a number, the key; by the rest of the order's value; by their paths, in byte
 * order. The later steps are rare. `descending` reverses the first two, and the paths only in the order `ruta`.
 */
export class ResultOrder {
  readonly #by: SearchOrder;
  readonly #sign: 1 | -1;
  readonly #pathSign: 1 | -1;
  readonly #view: ReadView;

  constructor(by: SearchOrder, descending: boolean, view: ReadView) {
    this.#by = by;
    this.#sign = descending ? -1 : 1;
    this.#pathSign = descending && by === 'ruta' ? -1 : 1;
    this.#view = view;
  }

  /** @param relevance the matcher's result */
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
        // An entry without a size comes before an empty file.
        if ((facts & hasStats) === 0 || kindIn(facts) === Kind.FOLDER) return -this.#sign;
        return (segment.sizes[slot] ?? 0) * this.#sign;
      case 'modificado':
        return ((facts & hasStats) === 0 ? -Infinity : (segment.times[slot] ?? 0)) * this.#sign;
    }
  }

  /** Compares two places whose keys are equal. */
  compareTied(a: ResultPlace, b: ResultPlace): number {
    if (a.minor !== b.minor) return (a.minor - b.minor) * this.#sign;
    if (this.#by === 'nombre') {
      const [one, other] = [nameIn(a.path), nameIn(b.path)];
      if (one !== other) return one < other ? -this.#sign : this.#sign;
    }
    if (a.path === b.path) return 0;
    return a.path < b.path ? -this.#pathSign : this.#pathSign;
  }

  /**
   * Compares an entry with one place, repeatedly, when their keys are equal. @param bound `boundOf` the place
   */
  compareTiedTo(entry: EntryId, place: ResultPlace, bound: PathBound): number {
    const segment = this.#view.segmentOf(entry);
    const slot = this.#view.placeOf(entry);
    const difference =
      this.#by === 'nombre' ? bound.compareName(segment, slot) : this.#minorOf(segment, slot) - place.minor;
    if (difference !== 0) return difference * this.#sign;
    return bound.compare(segment, slot) * this.#pathSign;
  }

  boundOf({ path }: ResultPlace): PathBound {
    return new PathBound(this.#view, toBytes(path));
  }

  placeOf(entry: EntryId, key: number): ResultPlace {
    const minor = this.#minorOf(this.#view.segmentOf(entry), this.#view.placeOf(entry));
    return { key, minor, path: this.#view.pathOf(entry) };
  }

  /**
   * Returns a place as the position of a cursor: the path, and before it only what the path does not imply.
   */
  positionOf({ key, minor, path }: ResultPlace): ByteString {
    if (this.#by === 'nombre' || this.#by === 'ruta') return path;
    const value = String(key * this.#sign);
    return `${this.#by === 'modificado' ? `${value}+${minor}` : value}/${path}` as ByteString;
  }

  /** @throws FileError `cursor-no-valido` */
  placeAt(position: ByteString): ResultPlace {
    if (this.#by === 'ruta') return { key: 0, minor: 0, path: position };
    if (this.#by === 'nombre') {
      const name = toBytes(nameIn(position));
      return { key: firstBytes(name, name.length) * this.#sign, minor: 0, path: position };
    }
    const pattern = /^(-?[0-9]{1,20}|-Infinity)(?:\+([0-9]{1,6}))?\/(.+)$/s;
    const [, key, minor = '0', path] = pattern.exec(position) ?? [];
    if (path === undefined) throw invalidCursor();
    return { key: Number(key) * this.#sign, minor: Number(minor), path: path as ByteString };
  }

  #minorOf(segment: Segment, slot: number): number {
    return this.#by === 'modificado' ? (segment.facts[slot] ?? 0) & nanosecondsMask : 0;
  }
}

function nameIn(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1) as ByteString;
}

/** Returns the first six bytes as a number, as many as a double holds exactly. */
function firstBytes(name: Uint8Array, length: number): number {
  let value = 0;
  for (let i = 0; i < 6; i++) value = value * 256 + (i < length ? (name[i] ?? 0) : 0);
  return value;
}
