import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { type ByteString, toPath } from './byte-string.ts';
import { errnoOf } from './file-error.ts';
import type { Folder } from './folder.ts';

/** The name in events about the folder itself: permissions changed, moved or deleted. No entry has this name. */
export const itself = '.' as ByteString;

export interface WatchesOptions<Key> {
  /**
   * Called with changed names by their folder's key: entries created, changed, moved or deleted since the last call.
   * Each name is reported once; undefined when the system does not say which entry.
   */
  readonly onChanges: (changes: ReadonlyMap<Key, ReadonlySet<ByteString | undefined>>) => void;
  /** Called when events were lost: any watched folder may have changed. */
  readonly onOverflow: () => void;
  /** Maximum watched folders. Default: as many as the system allows. */
  readonly limit?: number;
  /** Capacity of the system's event queue. Default: read from the system. */
  readonly capacity?: number;
}

const watchOptions = { encoding: 'latin1', persistent: false } as const;

/** Codes for no watch left (max_user_watches) or no inotify instance left. Node does not document them. */
const full: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM']);

/**
 * Watches folders for changes of their own entries; about 1.3 kB and 13 µs per folder on Linux.
 *
 * When inotify's queue is full, the kernel drops events and reports that in an event which libuv ignores. libuv
 * drains the whole queue at once, so a turn of the event loop with as many events as the queue holds means that
 * events may be lost. Half as many already count, because the queue also held events of closed watches.
 */
export class FolderWatches<Key> {
  readonly #options: WatchesOptions<Key>;
  readonly #limit: number;
  readonly #tooMany: number;
  readonly #watchers = new Map<Key, FSWatcher>();
  readonly #keys = new Map<FSWatcher, Key>();
  /** Shared by all watchers: a closure per watcher would take 200 bytes. */
  readonly #onChange: (this: FSWatcher, event: string, name: string | Buffer | null) => void;
  readonly #onError: (this: FSWatcher) => void;
  #changes = new Map<Key, Set<ByteString | undefined>>();
  #events = 0;

  constructor(options: WatchesOptions<Key>) {
    this.#options = options;
    this.#limit = options.limit ?? Number.POSITIVE_INFINITY;
    this.#tooMany = (options.capacity ?? queueCapacity()) / 2;
    const note = (watcher: FSWatcher, name: ByteString | null): void => {
      const key = this.#keys.get(watcher);
      if (key !== undefined) this.#note(key, name);
    };
    this.#onChange = function (_event, name) {
      note(this, name as ByteString | null);
    };
    // Only systems other than Linux report failures here.
    this.#onError = function () {
      note(this, null);
    };
  }

  get size(): number {
    return this.#watchers.size;
  }

  has(key: Key): boolean {
    return this.#watchers.has(key);
  }

  /**
   * Watches a folder, even if its path changes later. A reading that begins after this call misses no change.
   * @returns false when no watch is left
   * @throws system errors: EACCES for a folder that may not be read
   */
  open(key: Key, folder: Folder): boolean {
    if (this.#watchers.has(key)) return true;
    if (this.#watchers.size >= this.#limit) return false;
    try {
      const address = toPath(folder.addressOf(itself));
      const watcher = watch(address, watchOptions, this.#onChange);
      watcher.on('error', this.#onError);
      this.#watchers.set(key, watcher);
      this.#keys.set(watcher, key);
      return true;
    } catch (error) {
      if (!full.has(errnoOf(error))) throw error;
      return false;
    }
  }

  close(key: Key): void {
    const watcher = this.#watchers.get(key);
    if (watcher === undefined) return;
    watcher.close();
    this.#keys.delete(watcher);
    this.#watchers.delete(key);
    this.#changes.delete(key);
  }

  /** Closes all watches; pending changes are discarded. */
  closeAll(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#keys.clear();
    this.#changes.clear();
    this.#events = 0;
  }

  /** Reports pending changes now instead of at the end of this turn of the event loop. */
  flush(): void {
    if (this.#events === 0) return;
    const overflow = this.#events >= this.#tooMany;
    const changes = this.#changes;
    this.#events = 0;
    this.#changes = new Map();
    if (overflow) this.#options.onOverflow();
    else this.#options.onChanges(changes);
  }

  #note(key: Key, name: ByteString | null): void {
    this.#events += 1;
    if (this.#events === 1) setImmediate(() => this.flush());
    // After an overflow single changes are irrelevant.
    if (this.#events >= this.#tooMany) return;
    const names = this.#changes.get(key);
    if (names === undefined) this.#changes.set(key, new Set([name ?? undefined]));
    else names.add(name ?? undefined);
  }
}

function queueCapacity(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/inotify/max_queued_events', 'utf8'));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
