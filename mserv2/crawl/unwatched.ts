import type { ByteString } from '../../filesystem/byte-string.ts';
import { tellsChanges } from '../../filesystem/change-events.ts';
import { errnoOf, FileError } from '../../filesystem/file-error.ts';
import { FolderChain } from '../../filesystem/folder-chain.ts';
import type { Root } from '../../filesystem/root.ts';
import type { FileIndex } from '../index/api.ts';
import type { Crawler } from './crawler.ts';

/** A folder that is looked through from time to time, because it cannot be watched. */
export interface Unwatched {
  readonly path: ByteString;
  /** There is no room for more watches, or its file system does not tell of changes. */
  readonly why: 'limit' | 'no-events';
}

/** There may be a million of them, and few reasons. */
const most = 100;

/** The first of the folders that are not watched, and why. What cannot be read at all is not among them: answers tell of it. */
export function unwatchedFolders(
  root: Root,
  index: FileIndex,
  { states, unreadable }: Pick<Crawler, 'states' | 'unreadable'>,
): Unwatched[] {
  const found: Unwatched[] = [];
  using chain = new FolderChain(root);
  for (const { watched, number } of states.all()) {
    if (found.length >= most) break;
    if (watched || unreadable.of(number) !== undefined) continue;
    const path = index.folderPath(number);
    try {
      found.push({ path, why: tellsChanges(chain.open(path)) ? 'limit' : 'no-events' });
    } catch (error) {
      // It has gone meanwhile, which is told in other ways.
      if (!(error instanceof FileError) && errnoOf(error) === undefined) throw error;
    }
  }
  return found;
}
