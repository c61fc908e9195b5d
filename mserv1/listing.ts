import type { BigIntStats } from 'node:fs';
import { type ByteString, joinParts } from '../filesystem/byte-string.ts';
import { decodeCursor, encodeCursor } from '../filesystem/cursor.ts';
import { type Entry, entryOf } from '../filesystem/entry.ts';
import { type EntryError, EntryErrors } from '../filesystem/entry-errors.ts';
import { folderFailure } from '../filesystem/file-error.ts';
import type { Folder, Named } from '../filesystem/folder.ts';
import { kindOf } from '../filesystem/kind.ts';
import {
  comparePlaces,
  type Order,
  orders,
  type Place,
  placeAt,
  positionOf,
} from '../filesystem/ordering.ts';
import type { Root } from '../filesystem/root.ts';
import { Slices } from '../filesystem/slices.ts';
import { Smallest } from '../filesystem/smallest.ts';

export interface ListingQuery {
  readonly parts: readonly ByteString[];
  /** The kinds that are shown. */
  readonly kinds: ReadonlySet<number>;
  /** Whether names that start with a dot are shown. */
  readonly hidden: boolean;
  readonly order: keyof typeof orders;
  readonly descending: boolean;
  /** Entries of a page, at least 1. */
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface ListingPage {
  readonly archivos: Entry[];
  readonly siguiente: string | undefined;
  readonly completo: boolean;
  readonly errores: EntryError[];
}

/** An entry with its place in the order, and what lstat said if the order needed that. */
interface Candidate extends Place {
  readonly stats: BigIntStats | undefined;
}

/**
 * One page of a folder, as it is now. An entry that vanishes while the page is made is left out, so a page may be
 * shorter than its limit and still have a next one.
 * @throws FileError as `Root.open` does, and `cursor-no-valido`
 */
export async function listFolder(root: Root, query: ListingQuery, signal: AbortSignal): Promise<ListingPage> {
  const order: Order = orders[query.order];
  const scope = {
    operation: 'ListarArchivos',
    query: [query.parts, [...query.kinds], query.hidden, query.order, query.descending],
  };
  const after = query.cursor === undefined ? undefined : placeAt(order, decodeCursor(scope, query.cursor));
  const slices = new Slices(signal);
  using folder = root.open(query.parts);
  const errors = new EntryErrors();

  // One more than the page holds tells whether there is a next one.
  const compare = comparePlaces(query.descending);
  const nearest = new Smallest<Candidate>(query.limit + 1, compare);
  for (const entry of await readFolder(folder, query, slices)) {
    if (slices.over()) await slices.next();
    const candidate = candidateOf(folder, order, entry, errors);
    if (candidate !== undefined && (after === undefined || compare(candidate, after) > 0))
      nearest.add(candidate);
  }
  const candidates = nearest.items();
  const page = candidates.slice(0, query.limit);

  const archivos: Entry[] = [];
  for (const { name, stats } of page) {
    if (slices.over()) await slices.next();
    const described = stats ?? lstat(folder, name, errors);
    // Another kind than when the folder was read: replaced meanwhile.
    if (described === undefined || !query.kinds.has(kindOf(described))) continue;
    archivos.push(entryOf(folder, name, described));
  }

  const errores = errors.items();
  const last = candidates.length > query.limit ? page.at(-1) : undefined;
  return {
    archivos,
    siguiente: last && encodeCursor(scope, positionOf(order, last)),
    completo: errores.length === 0,
    errores,
  };
}

async function readFolder(folder: Folder, query: ListingQuery, slices: Slices): Promise<Named[]> {
  try {
    return await folder.read(
      slices,
      (name, kind) => query.kinds.has(kind) && (query.hidden || !name.startsWith('.')),
    );
  } catch (error) {
    throw folderFailure(folder.path, error);
  }
}

/** Undefined when the order needs an lstat and that fails. */
function candidateOf(
  folder: Folder,
  order: Order,
  { name, kind }: Named,
  errors: EntryErrors,
): Candidate | undefined {
  if (order.by === 'name') return { key: order.key(name), name, stats: undefined };
  if (order.by === 'kind') return { key: order.key(kind), name, stats: undefined };
  const stats = lstat(folder, name, errors);
  return stats && { key: order.key(stats), name, stats };
}

function lstat(folder: Folder, name: ByteString, errors: EntryErrors): BigIntStats | undefined {
  return errors.attempt(joinParts(folder.path, name), () => folder.lstat(name));
}
