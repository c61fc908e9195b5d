import { joinParts } from '../filesystem/byte-string.ts';
import { type Entry, entryOf } from '../filesystem/entry.ts';
import { type EntryError, EntryErrors } from '../filesystem/entry-errors.ts';
import type { SortPlace } from '../filesystem/ordering.ts';
import type { Root } from '../filesystem/root.ts';
import { Slices } from '../filesystem/slices.ts';
import { entriesBelow } from '../filesystem/tree.ts';
import { beating } from '../runtime/heartbeat.ts';
import { batchesOf, type ListingScope, nearest, readEntries, type Sorting } from './listing.ts';

export interface WalkingQuery extends ListingScope {
  /** Undefined: directory order. */
  readonly sorting: Sorting | undefined;
  /** Maximum entries that a sorted walk holds, at least 1; a larger tree is walked several times. Default 50,000. */
  readonly passSize?: number;
}

/** One message of the stream. An empty one only keeps the stream alive while the work goes on. */
export interface WalkingPart {
  readonly archivos: Entry[];
  readonly errores: EntryError[];
}

/** Maximum entries and errors per message: one message per entry costs twenty times as much. */
const partSize = 256;
/** Entries that a sorted walk reads at a time: many, because in a deep tree the folders above them are opened anew. */
const readSize = 10_000;
const nothing: WalkingPart = { archivos: [], errores: [] };
/** A message is sent after this time even if it is empty. */
const partMs = 100;

/**
 * Yields all entries of a folder or of a tree in parts, as they are read. Entries that vanish meanwhile are skipped.
 * A slow consumer pauses the walk.
 * @throws FileError as `Root.open` does
 */
export function walkFolder(
  root: Root,
  query: WalkingQuery,
  signal: AbortSignal,
): AsyncGenerator<WalkingPart, void> {
  const { sorting } = query;
  return sorting === undefined ? asFound(root, query, signal) : sorted(root, query, sorting, signal);
}

async function* asFound(
  root: Root,
  scope: ListingScope,
  signal: AbortSignal,
): AsyncGenerator<WalkingPart, void> {
  const { parts: start, kinds, hidden, depth } = scope;
  const slices = new Slices(signal);
  const errors = new EntryErrors();
  const parts = new Parts(errors);
  for (const found of entriesBelow({ root, start, hidden, depth, errors })) {
    if (found !== undefined && kinds.has(found.kind)) {
      const { folder, name } = found;
      const entry = errors.attempt(joinParts(folder.path, name), () =>
        entryOf(folder, name, folder.lstat(name)),
      );
      if (entry !== undefined && kinds.has(entry.tipo)) parts.add(entry);
    }
    if (parts.due()) {
      yield parts.take();
      signal.throwIfAborted();
    }
    if (slices.over()) await slices.next();
  }
  yield parts.take();
}

async function* sorted(
  root: Root,
  query: WalkingQuery,
  sorting: Sorting,
  signal: AbortSignal,
): AsyncGenerator<WalkingPart, void> {
  const { passSize = 50_000, ...scope } = query;
  const slices = new Slices(signal);
  const errors = new EntryErrors();
  const parts = new Parts(errors);
  // Every pass meets the unreadable entries again; only the first pass reports them.
  let passErrors = errors;
  let after: SortPlace | undefined;
  for (;;) {
    const pass = nearest(root, { ...scope, ...sorting, after, size: passSize }, slices, passErrors);
    const candidates = yield* beating(pass, nothing, partMs);
    for (const batch of batchesOf(candidates, readSize)) {
      const reading = readEntries(root, scope, batch, slices, errors);
      const { entries } = yield* beating(reading, nothing, partMs);
      for (const entry of entries) {
        parts.add(entry);
        if (parts.due()) yield parts.take();
        if (slices.over()) await slices.next();
      }
    }
    after = candidates.at(-1);
    if (candidates.length < passSize) break;
    passErrors = new EntryErrors();
  }
  yield parts.take();
}

/** Collects the entries and errors of one message. */
class Parts {
  readonly #errors: EntryErrors;
  #entries: Entry[] = [];
  #since = performance.now();

  constructor(errors: EntryErrors) {
    this.#errors = errors;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
  }

  due(): boolean {
    return this.#entries.length + this.#errors.size >= partSize || performance.now() - this.#since >= partMs;
  }

  take(): WalkingPart {
    const part = { archivos: this.#entries, errores: this.#errors.take() };
    this.#entries = [];
    this.#since = performance.now();
    return part;
  }
}
