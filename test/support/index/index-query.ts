import { type ByteString, splitParts } from '../../../filesystem/byte-string.ts';
import { Kind } from '../../../filesystem/kind.ts';
import { rootFolder } from '../../../mserv2/index/api.ts';
import { MemoryIndex } from '../../../mserv2/index/memory-index.ts';
import type { Pace } from '../../../mserv2/index/search.ts';
import type { SearchQuery } from '../../../mserv2/index/search-api.ts';

/** Query that matches every entry. */
export const anything: SearchQuery = {
  parts: [],
  nombre: '',
  mode: 'contiene',
  field: 'nombre',
  folding: { case: true, accents: true },
  kinds: new Set(Object.values(Kind)),
  extensions: [],
  minBytes: undefined,
  maxBytes: undefined,
  since: undefined,
  until: undefined,
  hidden: true,
  order: 'relevancia',
  descending: false,
  limit: 10_000,
  cursor: undefined,
};

/** Pace of a search that never pauses. */
export const withoutPause: Pace = { over: () => false, next: () => Promise.resolve() };

/** Creates an index of files and of the folders in their paths. */
export function indexOf(paths: readonly ByteString[]): MemoryIndex {
  const index = new MemoryIndex({ segmentEntries: 1024 });
  for (const path of paths) {
    const parts = splitParts(path);
    const name = parts.pop() ?? ('' as ByteString);
    let folder = rootFolder;
    for (const part of parts) folder = index.folderOf(index.put(folder, part, Kind.FOLDER));
    index.put(folder, name, Kind.FILE);
  }
  return index;
}
