import { type BigIntStats, lstatSync } from 'node:fs';
import { type ByteString, joinParts, toPath } from '../../filesystem/byte-string.ts';
import { errnoOf } from '../../filesystem/file-error.ts';
import type { Folder } from '../../filesystem/folder.ts';
import { itself } from '../../filesystem/watches.ts';

export type Seen = BigIntStats | undefined | NodeJS.ErrnoException;

/** Minimum number of names that two more system calls pay off for. */
const worthwhile = 8;

/**
 * Makes an lstat of many entries of a folder; undefined for a missing entry, an error for a refused one.
 *
 * The path through the held descriptor costs twice as much as the plain path (3.8 µs and 2.2 µs). So the plain path
 * is used when it leads to this very folder, and its results count only if it still does afterwards. A folder that is
 * swapped for a link meanwhile cannot pass off sizes and dates of another place.
 */
export function lstatAll(folder: Folder, names: readonly ByteString[]): Seen[] {
  const held = folder.addressOf('' as ByteString);
  if (names.length < worthwhile) return lstatAt(held, names);
  const plain = `${joinParts(folder.root, folder.path)}/` as ByteString;
  const own = folder.stat();
  if (!isAt(own, plain)) return lstatAt(held, names);
  const seen = lstatAt(plain, names);
  return isAt(own, plain) ? seen : lstatAt(held, names);
}

const quietly = { bigint: true, throwIfNoEntry: false } as const;

function lstatAt(below: ByteString, names: readonly ByteString[]): Seen[] {
  const seen: Seen[] = [];
  for (const name of names) {
    try {
      seen.push(lstatSync(toPath(`${below}${name}` as ByteString), quietly));
    } catch (error) {
      if (errnoOf(error) === undefined) throw error;
      seen.push(error as NodeJS.ErrnoException);
    }
  }
  return seen;
}

/** Returns whether a path leads to the folder. */
function isAt({ dev, ino }: BigIntStats, below: ByteString): boolean {
  try {
    const there = lstatSync(toPath(`${below}${itself}` as ByteString), { bigint: true });
    return there.dev === dev && there.ino === ino;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}
