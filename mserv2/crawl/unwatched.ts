import type { ByteString } from '../../filesystem/byte-string.ts';
import { tellsChanges } from '../../filesystem/change-events.ts';
import { errnoOf, FileError } from '../../filesystem/file-error.ts';
import { FolderChain } from '../../filesystem/folder-chain.ts';
import type { Root } from '../../filesystem/root.ts';
import { Unwatchable } from '../../filesystem/unwatchable.ts';
import type { MemoryIndex } from '../index/memory-index.ts';
import type { Crawler } from './crawler.ts';

/** A folder that cannot be watched and is scanned from time to time instead. */
export interface Unwatched {
  readonly path: ByteString;
  readonly why: Unwatchable;
}

/** There may be a million unwatched folders, and few reasons. */
const most = 100;

/** Returns the first unwatched folders with the reason. Unreadable folders are left out: answers list them as errors. */
export function unwatchedFolders(
  root: Root,
  index: MemoryIndex,
  { states, unreadable }: Pick<Crawler, 'states' | 'unreadable'>,
): Unwatched[] {
  const found: Unwatched[] = [];
  using chain = new FolderChain(root);
  for (const { watched, number } of states.all()) {
    if (found.length >= most) break;
    if (watched || unreadable.of(number) !== undefined) continue;
    const path = index.folderPath(number);
    try {
      found.push({ path, why: tellsChanges(chain.open(path)) ? Unwatchable.LIMIT : Unwatchable.NO_EVENTS });
    } catch (error) {
      // The folder has gone meanwhile; its parent's events report that.
      if (!(error instanceof FileError) && errnoOf(error) === undefined) throw error;
    }
  }
  return found;
}
