import { type ByteString, joinParts } from '../../../filesystem/byte-string.ts';
import { EntryErrors } from '../../../filesystem/entry-errors.ts';
import type { Kind } from '../../../filesystem/kind.ts';
import type { Slices } from '../../../filesystem/slices.ts';
import { entriesBelow, type TreeOptions } from '../../../filesystem/tree.ts';

export interface WalkOptions extends Omit<TreeOptions, 'depth' | 'errors'> {
  readonly slices: Slices;
  /** Called once for every entry below the start, in any order. */
  readonly visit: (path: ByteString, name: ByteString, kind: Kind) => void;
}

/**
 * Visits a whole tree, pausing after each time slice.
 * @returns the errors of unreadable folders
 * @throws FileError when the start cannot be opened or read, like `Root.open`
 */
export async function walk({ slices, visit, ...tree }: WalkOptions): Promise<EntryErrors> {
  const errors = new EntryErrors();
  for (const found of entriesBelow({ ...tree, depth: Number.POSITIVE_INFINITY, errors })) {
    if (found !== undefined) visit(joinParts(found.folder.path, found.name), found.name, found.kind);
    if (slices.over()) await slices.next();
  }
  return errors;
}
