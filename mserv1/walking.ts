import { joinParts } from '../filesystem/byte-string.ts';
import { type Entry, entryOf } from '../filesystem/entry.ts';
import { type EntryError, EntryErrors } from '../filesystem/entry-errors.ts';
import type { Place } from '../filesystem/ordering.ts';
import type { Root } from '../filesystem/root.ts';
import { Slices } from '../filesystem/slices.ts';
import { entriesBelow } from '../filesystem/tree.ts';
import { beating } from '../runtime/heartbeat.ts';
import { batchesOf, EntryReader, nearest, type Scope, type Sorting } from './listing.ts';

export interface WalkingQuery extends Scope {
  /** Undefined: as the folders have their entries. */
  readonly sorting: Sorting | undefined;
  /** Entries of a sorted walk that are held at a time, at least 1, so that no tree is too large: the rest is another walk. Default 50,000. */
  readonly passSize?: number;
}

/** One message of a stream; one without anything says that the work goes on. */
export interface WalkingPart {
  readonly archivos: Entry[];
  readonly errores: EntryError[];
}

/** Entries, and errors, of a message: one rpc message per entry costs twenty times as much. */
const partSize = 256;
/** A message is sent after this long, whatever is in it. */
const partMs = 100;

/**
 * All entries of a folder or of a tree, part by part, as it is read; what vanishes meanwhile is left out. Whoever takes
 * the parts slowly holds the walk.
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

async function* asFound(root: Root, scope: Scope, signal: AbortSignal): AsyncGenerator<WalkingPart, void> {
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
    if (parts.due()) yield parts.take();
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
  using reader = new EntryReader(root, scope, errors);
  // What cannot be read is met again by every pass, and told once.
  let passErrors = errors;
  let after: Place | undefined;
  for (;;) {
    const pass = nearest(root, { ...scope, ...sorting, after, size: passSize }, slices, passErrors);
    const candidates = yield* beating(pass, { archivos: [], errores: [] }, partMs);
    for (const batch of batchesOf(candidates)) {
      for (const entry of reader.readAll(batch)) {
        parts.add(entry);
        if (parts.due()) yield parts.take();
      }
      if (slices.over()) await slices.next();
    }
    after = candidates.at(-1);
    if (candidates.length < passSize) break;
    passErrors = new EntryErrors();
  }
  yield parts.take();
}

/** Gathers what belongs in one message. */
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
