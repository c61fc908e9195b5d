import { type ByteString, toText } from '../filesystem/byte-string.ts';
import { decodeCursor, encodeCursor } from '../filesystem/cursor.ts';
import type { Entry } from '../filesystem/entry.ts';
import type { EntryError } from '../filesystem/entry-errors.ts';
import type { Folding } from '../filesystem/folding.ts';
import { PathReader } from '../filesystem/path-reader.ts';
import type { Root } from '../filesystem/root.ts';
import { Slices } from '../filesystem/slices.ts';
import { Smallest } from '../filesystem/smallest.ts';
import { walk } from '../filesystem/walk.ts';
import { createMatcher, type Mode } from './matcher.ts';

export interface SearchQuery {
  /** Where to look. */
  readonly parts: readonly ByteString[];
  readonly nombre: string;
  readonly mode: Mode;
  readonly folding: Folding;
  /** The kinds that are found. */
  readonly kinds: ReadonlySet<number>;
  readonly hidden: boolean;
  /** Entries of a page, at least 1. */
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface SearchPage {
  readonly archivos: Entry[];
  readonly siguiente: string | undefined;
  readonly completo: boolean;
  readonly errores: EntryError[];
  readonly total: number;
}

/**
 * One page of what matches in a tree, in byte order of the whole path: `a`, `a.b`, `a/x` ('.' is 2E, '/' is 2F). Every page
 * walks the whole tree: the walk finds the page's places and counts, and only what is on the page is looked at.
 * @throws FileError as `Root.open` does, `cursor-no-valido`, and as `createMatcher` does
 */
export async function searchTree(root: Root, query: SearchQuery, signal: AbortSignal): Promise<SearchPage> {
  const matches = createMatcher(query.nombre, query.mode, query.folding);
  const scope = {
    operation: 'BuscarArchivos',
    query: [query.parts, query.nombre, query.mode, query.folding, [...query.kinds], query.hidden],
  };
  const after = query.cursor === undefined ? undefined : decodeCursor(scope, query.cursor);
  const slices = new Slices(signal);

  // One more than the page holds tells whether there is a next one.
  const nearest = new Smallest<ByteString>(query.limit + 1, (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  let total = 0;
  const errors = await walk({
    root,
    start: query.parts,
    hidden: query.hidden,
    slices,
    visit: (path, name, kind) => {
      if (!query.kinds.has(kind) || !matches(toText(name).text)) return;
      total++;
      if (after === undefined || path > after) nearest.add(path);
    },
  });
  const candidates = nearest.items();
  const page = candidates.slice(0, query.limit);

  const archivos: Entry[] = [];
  using reader = new PathReader(root);
  for (const path of page) {
    if (slices.over()) await slices.next();
    const entry = errors.attempt(path, () => reader.read(path));
    if (entry === undefined || !query.kinds.has(entry.tipo)) total--;
    else archivos.push(entry);
  }

  const errores = errors.items();
  const last = candidates.length > query.limit ? page.at(-1) : undefined;
  return {
    archivos,
    siguiente: last && encodeCursor(scope, last),
    completo: errores.length === 0,
    errores,
    total,
  };
}
