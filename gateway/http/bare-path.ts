const slash = '/'.charCodeAt(0);

/**
 * Returns the canonical spelling of a path. The router ignores case and trailing slashes, so these spellings are one route.
 * A loop instead of a regular expression, which takes quadratic time on many slashes.
 */
export function barePath(path: string): string {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === slash) end--;
  return path.slice(0, end).toLowerCase();
}
