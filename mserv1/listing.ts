import { type ByteString, joinParts, lastPart } from '../filesystem/byte-string.ts';
import { decodeCursor, encodeCursor } from '../filesystem/cursor.ts';
import type { Entry } from '../filesystem/entry.ts';
import { type EntryError, EntryErrors } from '../filesystem/entry-errors.ts';
import type { Stats } from '../filesystem/folder.ts';
import { Kind } from '../filesystem/kind.ts';
import {
  comparePlaces,
  type Order,
  orders,
  type Place,
  placeAt,
  positionOf,
} from '../filesystem/ordering.ts';
import { PathReader } from '../filesystem/path-reader.ts';
import type { Root } from '../filesystem/root.ts';
import { Slices } from '../filesystem/slices.ts';
import { Smallest } from '../filesystem/smallest.ts';
import { entriesBelow, type Found } from '../filesystem/tree.ts';
import type { Subfolder } from '../filesystem/watched-folders.ts';

/** Which entries are listed. */
export interface Scope {
  readonly parts: readonly ByteString[];
  /** The kinds that are shown. */
  readonly kinds: ReadonlySet<number>;
  /** Whether names that start with a dot are shown, and their folders entered. */
  readonly hidden: boolean;
  /** Levels, at least 1; `Infinity` is no bound. */
  readonly depth: number;
}

export interface Sorting {
  readonly order: keyof typeof orders;
  readonly descending: boolean;
}

export interface ListingQuery extends Scope, Sorting {
  /** Entries of a page, at least 1. */
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface ListingPage {
  readonly archivos: Entry[];
  readonly siguiente: string | undefined;
  readonly completo: boolean;
  readonly errores: EntryError[];
  readonly grounds: Grounds;
}

/** What a page of a folder rests on, besides the folder itself. */
export interface Grounds {
  /** Those whose dates it shows. */
  readonly subfolders: Subfolder[];
  /** It shows something that may change without an event in its folder: a file with another name elsewhere, or where a link points. */
  elsewhere: boolean;
  /** Dates or sizes of entries that it does not show have put the others in their places. */
  readonly unseen: boolean;
}

/** An entry with its place in the order, and what lstat said if the order needed that. */
export interface Candidate extends Place {
  readonly stats: Stats | undefined;
}

/**
 * One page of a folder or of a tree, as it is now. Every page reads all of it and holds no more than the page. An entry
 * that vanishes while the page is made is left out, so a page may be shorter than its limit and still have a next one.
 * @throws FileError as `Root.open` does, and `cursor-no-valido`
 */
export async function listFolder(root: Root, query: ListingQuery, signal: AbortSignal): Promise<ListingPage> {
  const order: Order = orders[query.order];
  const scope = {
    operation: 'ListarArchivos',
    query: [query.parts, [...query.kinds], query.hidden, depthText(query), query.order, query.descending],
  };
  const after = query.cursor === undefined ? undefined : placeAt(order, decodeCursor(scope, query.cursor));
  const slices = new Slices(signal);
  const errors = new EntryErrors();

  if (slices.crowded()) await slices.next();

  // One more than the page holds tells whether there is a next one.
  const candidates = await nearest(root, { ...query, after, size: query.limit + 1 }, slices, errors);
  const page = candidates.slice(0, query.limit);

  const archivos: Entry[] = [];
  using reader = new EntryReader(root, query, errors);
  for (const batch of batchesOf(page)) {
    if (slices.over()) await slices.next();
    archivos.push(...reader.readAll(batch));
  }

  const errores = errors.items();
  const last = candidates.length > query.limit ? page.at(-1) : undefined;
  return {
    archivos,
    siguiente: last && encodeCursor(scope, positionOf(order, last)),
    completo: errores.length === 0,
    errores,
    grounds: {
      ...reader.grounds,
      unseen: order.by === 'stats' && (after !== undefined || last !== undefined),
    },
  };
}

/** JSON, in which a cursor's scope is written, has no Infinity. */
function depthText({ depth }: Scope): string {
  return String(depth);
}

export interface NearestQuery extends Scope, Sorting {
  /** Only what comes after it. */
  readonly after: Place | undefined;
  readonly size: number;
}

/** The first `size` entries of an order, after a place: one walk, holding twice as many at most. */
export async function nearest(
  root: Root,
  query: NearestQuery,
  slices: Slices,
  errors: EntryErrors,
): Promise<Candidate[]> {
  const { parts: start, kinds, hidden, depth, after } = query;
  const order: Order = orders[query.order];
  const compare = comparePlaces(query.descending);
  const smallest = new Smallest<Candidate>(query.size, compare);
  const skipped = start.length === 0 ? 0 : start.join('/').length + 1;
  for (const found of entriesBelow({ root, start, hidden, depth, errors })) {
    if (slices.over()) await slices.next();
    if (found === undefined || !kinds.has(found.kind)) continue;
    const candidate = candidateOf(found, order, skipped, errors);
    if (candidate !== undefined && (after === undefined || compare(candidate, after) > 0))
      smallest.add(candidate);
  }
  return smallest.items();
}

/** Undefined when the order needs an lstat and that fails. */
function candidateOf(
  { folder, name, kind }: Found,
  order: Order,
  skipped: number,
  errors: EntryErrors,
): Candidate | undefined {
  const path = joinParts(folder.path.slice(skipped) as ByteString, name);
  if (order.by === 'name') return { key: order.key(name), path, stats: undefined };
  if (order.by === 'kind') return { key: order.key(kind), path, stats: undefined };
  const stats = errors.attempt(joinParts(folder.path, name), () => folder.lstat(name));
  return stats && { key: order.key(stats), path, stats };
}

/** As many as are described in one go: less than a slice. */
const batchSize = 256;

export function* batchesOf(candidates: readonly Candidate[]): Generator<readonly Candidate[]> {
  for (let at = 0; at < candidates.length; at += batchSize) yield candidates.slice(at, at + batchSize);
}

/** Describes candidates, one after another. */
export class EntryReader implements Disposable {
  /** Of all that was described. */
  readonly grounds: Omit<Grounds, 'unseen'> = { subfolders: [], elsewhere: false };
  readonly #scope: Scope;
  readonly #errors: EntryErrors;
  readonly #start: ByteString;
  readonly #reader: PathReader;

  constructor(root: Root, scope: Scope, errors: EntryErrors) {
    this.#scope = scope;
    this.#errors = errors;
    this.#start = scope.parts.join('/') as ByteString;
    this.#reader = new PathReader(root);
  }

  /** A batch of them, quicker than one by one when they share a folder. Those that `read` does not know are left out. */
  readAll(candidates: readonly Candidate[]): Entry[] {
    const [first] = candidates;
    if (first === undefined) return [];
    const work = () => candidates.flatMap((candidate) => this.read(candidate) ?? []);
    return this.#reader.near(joinParts(this.#start, first.path), work);
  }

  /** Undefined when it has vanished, cannot be read, or is of another kind now than when its folder was read. */
  read({ path, stats }: Candidate): Entry | undefined {
    const whole = joinParts(this.#start, path);
    const read = this.#errors.attempt(whole, () => this.#reader.read(whole, stats));
    if (read === undefined || !this.#scope.kinds.has(read.entry.tipo)) return undefined;
    this.#ground(lastPart(path), read.entry, read.stats);
    return read.entry;
  }

  #ground(name: ByteString, { tipo, modificado }: Entry, { hardLinked }: Stats): void {
    if (tipo === Kind.FOLDER) this.grounds.subfolders.push({ name, mtimeMs: modificado?.getTime() });
    if (tipo === Kind.LINK || hardLinked) this.grounds.elsewhere = true;
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}
