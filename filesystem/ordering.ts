import { type ByteString, lastPart, toText } from './byte-string.ts';
import { invalidCursor } from './cursor.ts';
import type { Stats } from './folder.ts';
import { foldText } from './folding.ts';
import { Kind } from './kind.ts';

/** A sort key, compared with `<`. All keys of one order have one type. */
export type Key = string | bigint;

/** A sort order. Entries with equal keys are sorted by path in byte order, so the order is total. */
export type SortOrder =
  | { readonly by: 'name'; key(name: ByteString): Key }
  | { readonly by: 'kind'; key(kind: Kind): bigint }
  | { readonly by: 'kind and name'; key(kind: Kind, name: ByteString): string }
  | { readonly by: 'stats'; key(stats: Stats): bigint };

const folderMark = '0';
const otherMark = '1';

export const orders = {
  nombre: { by: 'name', key: (name) => name },
  natural: { by: 'name', key: (name) => naturalKey(toText(name).text) },
  tipo: { by: 'kind', key: (kind) => (kind === Kind.FOLDER ? 0n : BigInt(kind)) },
  /** Folders first; both these and the rest in natural order. The key begins with `folderMark` or `otherMark`. */
  carpetas: {
    by: 'kind and name',
    key: (kind, name) => `${kind === Kind.FOLDER ? folderMark : otherMark}${naturalKey(toText(name).text)}`,
  },
  /** Folders have no size and sort before empty files. */
  bytes: { by: 'stats', key: (stats) => (stats.kind === Kind.FOLDER ? -1n : stats.size) },
  modificado: { by: 'stats', key: (stats) => stats.mtimeNs },
} as const satisfies Record<string, SortOrder>;

/** An entry's position in an order. */
export interface SortPlace {
  readonly key: Key;
  /** Relative to the listed folder; for that folder's own entries, the name. */
  readonly path: ByteString;
}

/** Returns a comparator. `descending` reverses the keys only; paths with equal keys stay in byte order. */
export function comparePlaces(descending: boolean): (a: SortPlace, b: SortPlace) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    if (a.key !== b.key) return a.key < b.key ? -sign : sign;
    if (a.path !== b.path) return a.path < b.path ? -1 : 1;
    return 0;
  };
}

/** Encodes a place as a cursor's position. The part of a key that is derived from the name is omitted. */
export function positionOf(order: SortOrder, place: SortPlace): ByteString {
  if (order.by === 'name') return place.path;
  const key = order.by === 'kind and name' ? String(place.key).slice(0, folderMark.length) : place.key;
  return `${key}/${place.path}` as ByteString;
}

/**
 * Decodes a cursor's position.
 * @throws FileError `cursor-no-valido`
 */
export function placeAt(order: SortOrder, position: ByteString): SortPlace {
  if (order.by === 'name') return { key: order.key(lastPart(position)), path: position };
  const [, key, path] = /^(-?[0-9]{1,30})\/(.+)$/s.exec(position) ?? [];
  if (key === undefined || path === undefined) throw invalidCursor();
  if (order.by !== 'kind and name') return { key: BigInt(key), path: path as ByteString };
  const kind = key === folderMark ? Kind.FOLDER : Kind.FILE;
  return { key: order.key(kind, lastPart(path as ByteString)), path: path as ByteString };
}

const digits = /[0-9]+/g;

/**
 * Returns a key that sorts `parte2` before `parte10`, `árbol` beside `arbol`, and `ñ` between `n` and `o`.
 *
 * A number becomes `0`, the count of its digits, and the digits. The key does not depend on the locale or on ICU's
 * version, because a cursor must outlive both.
 */
export function naturalKey(text: string): string {
  // U+FFFE is a noncharacter, so `n` + U+FFFE sorts after every name that continues after `n`.
  const letters = text.normalize('NFC').replaceAll(/[ñÑ]/g, 'n\ufffe');
  return foldText(letters, { case: true, accents: true }).replaceAll(digits, (run) => {
    const number = run.replace(/^0+(?=[0-9])/, '');
    return `0${String.fromCharCode(number.length)}${number}`;
  });
}
