import type { ByteString } from './byte-string.ts';

/**
 * Returns the number of levels of one path that lead to another path too. The first level is the root.
 * @param ends length of the path of each level
 */
export function sharedLevels(known: ByteString, ends: readonly number[], path: ByteString): number {
  const length = Math.min(path.length, known.length);
  let same = 0;
  while (same < length && path.charCodeAt(same) === known.charCodeAt(same)) same++;
  let levels = ends.length;
  for (; levels > 1; levels--) {
    const end = ends[levels - 1] ?? 0;
    if (end <= same && (end === path.length || path[end] === '/')) break;
  }
  return levels;
}
