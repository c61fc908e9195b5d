import { type ByteString, lastPart, toText } from './byte-string.ts';
import { invalidCursor } from './cursor.ts';
import type { Stats } from './folder.ts';
import { foldText } from './folding.ts';
import { Kind } from './kind.ts';

/** Compared with `<`. Within one order all keys are of one type. */
export type Key = string | bigint;

/** A way to sort entries. Those with equal keys follow each other in byte order of their paths, so the order is total. */
export type Order =
  | { readonly by: 'name'; key(name: ByteString): Key }
  | { readonly by: 'kind'; key(kind: Kind): bigint }
  | { readonly by: 'stats'; key(stats: Stats): bigint };

export const orders = {
  nombre: { by: 'name', key: (name) => name },
  natural: { by: 'name', key: (name) => naturalKey(toText(name).text) },
  /** Folders first. */
  tipo: { by: 'kind', key: (kind) => (kind === Kind.FOLDER ? 0n : BigInt(kind)) },
  /** A folder has no size: it comes before what has none to show, the empty file. */
  bytes: { by: 'stats', key: (stats) => (stats.kind === Kind.FOLDER ? -1n : stats.size) },
  modificado: { by: 'stats', key: (stats) => stats.mtimeNs },
} as const satisfies Record<string, Order>;

/** An entry's place in an order. */
export interface Place {
  readonly key: Key;
  /** Below the folder that is listed; of that folder's own entries it is their name. */
  readonly path: ByteString;
}

/** `descending` turns the keys around; paths that tie stay in byte order. */
export function comparePlaces(descending: boolean): (a: Place, b: Place) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    if (a.key !== b.key) return a.key < b.key ? -sign : sign;
    if (a.path !== b.path) return a.path < b.path ? -1 : 1;
    return 0;
  };
}

/** A place as the position of a cursor. A key that follows from the name is not written. */
export function positionOf(order: Order, place: Place): ByteString {
  return order.by === 'name' ? place.path : (`${place.key}/${place.path}` as ByteString);
}

/** @throws FileError `cursor-no-valido` */
export function placeAt(order: Order, position: ByteString): Place {
  if (order.by === 'name') return { key: order.key(lastPart(position)), path: position };
  const [, key, path] = /^(-?[0-9]{1,30})\/(.+)$/s.exec(position) ?? [];
  if (key === undefined || path === undefined) throw invalidCursor();
  return { key: BigInt(key), path: path as ByteString };
}

const digits = /[0-9]+/g;

/**
 * Makes `parte2` come before `parte10`, `árbol` beside `arbol`, and `ñ` between `n` and `o`. A number becomes `0`, the count of its
 * digits, and the digits; no two names share a key by chance of the locale or of ICU's version, as a cursor needs.
 */
export function naturalKey(text: string): string {
  // U+FFFE is no character, so `n` + U+FFFE comes behind every name that goes on after `n`.
  const letters = text.normalize('NFC').replaceAll(/[ñÑ]/g, 'n\ufffe');
  return foldText(letters, { case: true, accents: true }).replaceAll(digits, (run) => {
    const number = run.replace(/^0+(?=[0-9])/, '');
    return `0${String.fromCharCode(number.length)}${number}`;
  });
}
