import type { ByteString } from './byte-string.ts';

/**
 * Groups items by folder, in an order in which each folder's subtree comes without a gap. So a `FolderChain` opens no
 * folder twice.
 */
export function groupByFolder<Item extends { readonly path: ByteString }>(items: readonly Item[]): Item[][] {
  // With its slash a folder's path is the prefix of all paths below it, and only of those.
  const groups = Map.groupBy(items, ({ path }) => path.slice(0, path.lastIndexOf('/') + 1));
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}
