import { type ByteString, joinParts, lastPart } from '../filesystem/byte-string.ts';
import { decodeCursor, encodeCursor } from '../filesystem/cursor.ts';
import type { Entry } from '../filesystem/entry.ts';
import { type EntryError, EntryErrors } from '../filesystem/entry-errors.ts';
import type { Stats } from '../filesystem/folder.ts';
import { groupByFolder } from '../filesystem/folder-order.ts';
import { Kind } from '../filesystem/kind.ts';
import {
  comparePlaces,
  orders,
  placeAt,
  positionOf,
  type SortOrder,
  type SortPlace,
} from '../filesystem/ordering.ts';
import { PathReader } from '../filesystem/path-reader.ts';
import type { Root } from '../filesystem/root.ts';
import { Slices } from '../filesystem/slices.ts';
import { Smallest } from '../filesystem/smallest.ts';
import { entriesBelow, type FoundEntry } from '../filesystem/tree.ts';
import type { Subfolder } from '../filesystem/watched-folders.ts';

/** The entries to list. */
export interface ListingScope {
  readonly parts: readonly ByteString[];
  /** Kinds of entries to include. */
  readonly kinds: ReadonlySet<number>;
  /** Whether to include names that start with a dot and enter such folders. */
  readonly hidden: boolean;
  /** Number of levels, at least 1; `Infinity` is unbounded. */
  readonly depth: number;
}

export interface Sorting {
  readonly order: keyof typeof orders;
  readonly descending: boolean;
}

export interface ListingQuery extends ListingScope, Sorting {
  /** Page size, at least 1. */
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface ListingPage {
  readonly archivos: Entry[];
  readonly siguiente: string | undefined;
  readonly completo: boolean;
  readonly errores: EntryError[];
  readonly dependencies: PageDependencies;
}

/** The data that a page depends on, besides the folder itself; decides whether it may be cached. */
export interface PageDependencies {
  /** Subfolders whose modification times the page shows. */
  readonly subfolders: Subfolder[];
  /**
   * Whether the page shows data that can change without an event in the folder: a hard link's file, or a link's
   * target.
   */
  elsewhere: boolean;
  /** Whether times or sizes of entries outside of the page decided its order. */
  readonly unseen: boolean;
}

/** An entry with its position in the order, and its lstat result if the order needed one. */
export interface ListingCandidate extends SortPlace {
  readonly stats: Stats | undefined;
}

/**
 * Returns one page of a folder or of a tree, as it is now. Every page reads the whole folder but holds only the page
 * in memory. An entry that vanishes meanwhile is skipped, so a page may be shorter than its limit and still have a
 * next page.
 * @throws FileError as `Root.open` does, and `cursor-no-valido`
 */
export async function listFolder(root: Root, query: ListingQuery, signal: AbortSignal): Promise<ListingPage> {
  const order: SortOrder = orders[query.order];
  const scope = {
    operation: 'ListarArchivos',
    query: [query.parts, [...query.kinds], query.hidden, depthText(query), query.order, query.descending],
  };
  const after = query.cursor === undefined ? undefined : placeAt(order, decodeCursor(scope, query.cursor));
  const slices = new Slices(signal);
  const errors = new EntryErrors();

  if (slices.crowded()) await slices.next();

  // One extra candidate shows whether there is a next page.
  const candidates = await nearest(root, { ...query, after, size: query.limit + 1 }, slices, errors);
  const page = candidates.slice(0, query.limit);

  const { entries, dependencies } = await readEntries(root, query, page, slices, errors);

  const errores = errors.items();
  const last = candidates.length > query.limit ? page.at(-1) : undefined;
  return {
    archivos: entries,
    siguiente: last && encodeCursor(scope, positionOf(order, last)),
    completo: errores.length === 0,
    errores,
    dependencies: {
      ...dependencies,
      unseen: order.by === 'stats' && (after !== undefined || last !== undefined),
    },
  };
}

/** JSON, which encodes a cursor's scope, has no Infinity. */
function depthText({ depth }: ListingScope): string {
  return String(depth);
}

export interface NearestQuery extends ListingScope, Sorting {
  /** Only entries after this place. */
  readonly after: SortPlace | undefined;
  readonly size: number;
}

/** Returns the first `size` entries after a place: one walk that holds at most twice as many entries. */
export async function nearest(
  root: Root,
  query: NearestQuery,
  slices: Slices,
  errors: EntryErrors,
): Promise<ListingCandidate[]> {
  const { parts: start, kinds, hidden, depth, after } = query;
  const order: SortOrder = orders[query.order];
  const compare = comparePlaces(query.descending);
  const smallest = new Smallest<ListingCandidate>(query.size, compare);
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

/** Returns undefined when the order needs an lstat and that fails. */
function candidateOf(
  { folder, name, kind }: FoundEntry,
  order: SortOrder,
  skipped: number,
  errors: EntryErrors,
): ListingCandidate | undefined {
  const path = joinParts(folder.path.slice(skipped) as ByteString, name);
  if (order.by === 'name') return { key: order.key(name), path, stats: undefined };
  if (order.by === 'kind') return { key: order.key(kind), path, stats: undefined };
  if (order.by === 'kind and name') return { key: order.key(kind, name), path, stats: undefined };
  const stats = errors.attempt(joinParts(folder.path, name), () => folder.lstat(name));
  return stats && { key: order.key(stats), path, stats };
}

/** Entries read in one batch: shorter than a slice. */
const batchSize = 256;
/** From this many entries on, standing in their folder pays. */
const crowd = 8;

export function* batchesOf(
  candidates: readonly ListingCandidate[],
  size = batchSize,
): Generator<readonly ListingCandidate[]> {
  for (let at = 0; at < candidates.length; at += size) yield candidates.slice(at, at + size);
}

type EntryDependencies = Omit<PageDependencies, 'unseen'>;

/**
 * Reads candidates folder by folder and returns their entries in the order of the candidates. Skips an entry that
 * vanished, cannot be read, or has another kind than when its folder was read.
 * @throws the reason of the signal of `slices`
 */
export async function readEntries(
  root: Root,
  scope: ListingScope,
  candidates: readonly ListingCandidate[],
  slices: Slices,
  errors: EntryErrors,
): Promise<{ readonly entries: Entry[]; readonly dependencies: EntryDependencies }> {
  using reader = new EntryReader(root, scope, errors);
  const entries = new Map<ListingCandidate, Entry>();
  for (const group of groupByFolder(candidates)) {
    for (const batch of batchesOf(group)) {
      if (slices.over()) await slices.next();
      reader.readBatch(batch, entries);
    }
  }
  const inOrder = candidates.flatMap((candidate) => entries.get(candidate) ?? []);
  return { entries: inOrder, dependencies: reader.dependencies };
}

/** Reads the entries of candidates and records what they depend on. */
class EntryReader implements Disposable {
  /** Dependencies of all entries read so far. */
  readonly dependencies: EntryDependencies = { subfolders: [], elsewhere: false };
  readonly #scope: ListingScope;
  readonly #errors: EntryErrors;
  readonly #start: ByteString;
  readonly #reader: PathReader;

  constructor(root: Root, scope: ListingScope, errors: EntryErrors) {
    this.#scope = scope;
    this.#errors = errors;
    this.#start = scope.parts.join('/') as ByteString;
    this.#reader = new PathReader(root);
  }

  /** Reads candidates of one folder. */
  readBatch(batch: readonly ListingCandidate[], entries: Map<ListingCandidate, Entry>): void {
    const work = () => {
      for (const candidate of batch) {
        const entry = this.#read(candidate);
        if (entry !== undefined) entries.set(candidate, entry);
      }
    };
    const [first] = batch;
    if (first === undefined || batch.length < crowd) work();
    else this.#reader.near(joinParts(this.#start, first.path), work);
  }

  #read({ path, stats }: ListingCandidate): Entry | undefined {
    const whole = joinParts(this.#start, path);
    const read = this.#errors.attempt(whole, () => this.#reader.read(whole, stats));
    if (read === undefined || !this.#scope.kinds.has(read.entry.tipo)) return undefined;
    this.#noteDependency(lastPart(path), read.entry, read.stats);
    return read.entry;
  }

  #noteDependency(name: ByteString, { tipo, modificado }: Entry, { hardLinked }: Stats): void {
    if (tipo === Kind.FOLDER) this.dependencies.subfolders.push({ name, mtimeMs: modificado?.getTime() });
    if (tipo === Kind.LINK || hardLinked) this.dependencies.elsewhere = true;
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}
