import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { type ByteString, toPath } from './byte-string.ts';
import { errnoOf } from './file-error.ts';
import type { Folder } from './folder.ts';

/** The name under which a folder tells of itself: its permissions changed, or it was moved or deleted. No entry has it. */
export const itself = '.' as ByteString;

export interface WatchesOptions<Key> {
  /**
   * What happened since the last time: the names of entries that were made, changed, moved or deleted, by the key of their
   * folder. Each name once, whatever happened to it; undefined when the system does not tell which.
   */
  readonly onChanges: (changes: ReadonlyMap<Key, ReadonlySet<ByteString | undefined>>) => void;
  /** Events were lost: anything may have happened in any watched folder. */
  readonly onOverflow: () => void;
  /** How many folders are watched at most; the system may allow fewer. Default: as many as it allows. */
  readonly limit?: number;
  /** How many events the system keeps for us. Default: what it says. */
  readonly capacity?: number;
}

const watchOptions = { encoding: 'latin1', persistent: false } as const;

/** Not in Node's documentation: no room for another watch (max_user_watches), or for another inotify instance. */
const full: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM']);

/**
 * Watches folders, each for its own entries; about 1.3 kB and 13 µs per folder on Linux.
 *
 * When the system's queue of events is full, it drops the rest and says so in an event that libuv overlooks. But libuv
 * takes all that is there at one go, so as many events as the queue holds, in one turn of the event loop, mean that
 * it may have been full. Half as many count already: events of folders that are watched no more were in the queue, too.
 */
export class FolderWatches<Key> {
  readonly #options: WatchesOptions<Key>;
  readonly #limit: number;
  readonly #tooMany: number;
  readonly #watchers = new Map<Key, FSWatcher>();
  readonly #keys = new Map<FSWatcher, Key>();
  /** For all watchers: functions of their own would cost each 200 bytes. */
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
    // Only other systems than Linux tell of a failure later on.
    this.#onError = function () {
      note(this, null);
    };
  }

  /** How many folders are watched. */
  get size(): number {
    return this.#watchers.size;
  }

  has(key: Key): boolean {
    return this.#watchers.has(key);
  }

  /**
   * Watches a folder from now on, whatever becomes of its path: read it after this call, and nothing is missed.
   * @returns false when there is no room for another watch
   * @throws the system's errors: EACCES for a folder that may not be read
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

  /** What was not told yet is not told any more. */
  closeAll(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#keys.clear();
    this.#changes.clear();
    this.#events = 0;
  }

  /** Tells at once what is known so far, instead of at the end of this turn of the event loop. */
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
    // What was changed does not matter any more when anything may have been.
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
