const slash = '/'.charCodeAt(0);

/**
 * A path in the one spelling of those that the router takes for the same: it minds neither case nor a slash at the end.
 * Without a pattern: one for slashes at the end takes the square of their number, when there are more before it.
 */
export function barePath(path: string): string {
  let end = path.length;
  while (end > 0 && path.charCodeAt(end - 1) === slash) end--;
  return path.slice(0, end).toLowerCase();
}
