import { type ByteString, folderOf, lastPart } from '../../filesystem/byte-string.ts';
import { FileError } from '../../filesystem/file-error.ts';
import type { Stats } from '../../filesystem/folder.ts';
import { MountTable } from '../../filesystem/mount-table.ts';
import type { Root } from '../../filesystem/root.ts';
import { othersWait } from '../../filesystem/slices.ts';
import { noEntry, rootFolder } from '../index/api.ts';
import type { MemoryIndex } from '../index/memory-index.ts';
import type { ScanBatch } from '../scan/batch.ts';
import { type Command, type Message, rootErrno } from '../scan/messages.ts';
import { Barrier } from './barrier.ts';
import { type FolderState, FolderStates } from './folder-states.ts';
import { CrawlFrontier, type Priority } from './frontier.ts';
import { Reconciler } from './reconciler.ts';
import { Unreadable } from './unreadable.ts';

/** State of the index: being built, being verified after a restart or lost events, or complete. */
export type Knowledge = 'construyendo' | 'verificando' | 'listo';

export interface CrawlerOptions {
  readonly index: MemoryIndex;
  /** Whether the index was loaded from a snapshot, so that its names must be verified. */
  readonly restored: boolean;
  readonly root: Root;
  /** The scanners, by number; their messages arrive in `receive`. */
  readonly scanners: readonly { send(command: Command): void }[];
  readonly onKnowledge: (knowledge: Knowledge) => void;
  /** Called when all names are known; sizes and dates come next. */
  readonly onNamed?: () => void;
  /**
   * Called when answers may have changed: after an event in the tree, or a change found without one. The index may
   * not have it yet.
   */
  readonly onNews: () => void;
  /**
   * Called with the number of watched folders and of all folders, once the index is complete and after every change.
   */
  readonly onWatched: (watched: number, folders: number) => void;
  /** Interval between two scans of the folders that cannot be watched. */
  readonly sweepMs: number;
}

/** A message that waits in the inbox. */
type Report = Exclude<Message, { kind: 'noticed' }>;

/** Interval between two checks of the root, whose parent is not watched. */
const rootMs = 1000;
/** Pause before a scan is tried again that failed for lack of descriptors or memory. */
const scarceMs = 1000;
const scarce: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']);
const gone: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE']);
/** PATH_MAX: no other program can name a longer path either. */
const maxPathBytes = 4096;
/** Length of one turn of work on the index. */
const turnMs = 5;
/** Length of a turn while a search waits: each slice of the search is followed by one turn. */
const sharedTurnMs = 1;
/** Time that scanners get no new jobs while a search runs. Their queued jobs take half of it. */
const withheldMs = 30;

/**
 * Keeps an index true: decides which folders are scanned when.
 *
 * - A new tree is scanned for names first, then for sizes and dates, each folder watched before it is read
 *   (`construyendo`).
 * - After a restart or lost events, names are read again where a folder's mtime has changed, and then every entry is
 *   checked (`verificando`).
 * - Then events tell which entries to check (`listo`); folders that cannot be watched are scanned from time to time.
 */
export class Crawler {
  readonly states: FolderStates;
  readonly unreadable: Unreadable;
  readonly #options: CrawlerOptions;
  readonly #index: MemoryIndex;
  readonly #frontier: CrawlFrontier;
  readonly #reconciler: Reconciler;
  readonly #barrier: Barrier;
  readonly #mountTable: MountTable;
  /** Scanners whose folders must all be scanned again once the names are known. */
  readonly #doubted = new Set<number>();
  #knowledge: Knowledge;
  /** Device and inode of the root, and whether the last attempt to open it failed. */
  #rootFolder: { readonly identity: string; readonly lost: boolean } | undefined;
  #inbox: { readonly scanner: number; readonly message: Report }[] = [];
  #work: Generator<void, void> | undefined;
  #turn: NodeJS.Immediate | undefined;
  #dispatchedAt = Number.NEGATIVE_INFINITY;
  /** Whether jobs are held back for a search. */
  #withheld = false;
  #watchedTold = -1;
  /** The index's count of changes that `onNews` has reported. */
  #changesTold: number;
  /** Time up to which every folder without a watch is known, as far as the index is complete. */
  #knownUpTo = performance.now();
  /** Begin of the scan in progress that covers every folder without a watch. */
  #lookingSince: number | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: CrawlerOptions) {
    const { index, scanners } = options;
    this.#options = options;
    this.#index = index;
    this.#changesTold = index.changes;
    this.#knowledge = options.restored ? 'verificando' : 'construyendo';
    this.states = new FolderStates(scanners.length);
    this.unreadable = new Unreadable(index);
    this.#frontier = new CrawlFrontier({
      states: this.states,
      scanners: scanners.length,
      entriesOf: ({ number }) => index.childCount(number),
      describe: (priority, folders) => this.#describe(priority, folders),
      send: (scanner, command) => scanners[scanner]?.send(command),
      isShared: (priority) => !this.#watches(priority),
    });
    this.#reconciler = new Reconciler({
      index,
      states: this.states,
      unreadable: this.unreadable,
      onNew: (state, named) => this.#discovered(state, named),
      onUnsure: (state) => this.#add('news', state),
      onReplaced: (state) => this.#replaced(state),
      onGone: (states) => this.#gone(states),
      onFailed: (state, errno) => this.#failed(state, errno),
    });
    this.#mountTable = new MountTable(options.root.path);
    this.#barrier = new Barrier({
      scanners: scanners.length,
      send: (scanner, id) => scanners[scanner]?.send({ kind: 'sync', id }),
      isQuiet: () => this.#frontier.isDone('news'),
    });
  }

  get knowledge(): Knowledge {
    return this.#knowledge;
  }

  /** Whether the index is complete and every folder is watched, so that `onNews` reports every change. */
  get watchesAll(): boolean {
    return this.#knowledge === 'listo' && this.#unwatched() === 0;
  }

  /**
   * Greatest age of what the index says, in milliseconds: 0 while every folder is watched, else the time since the
   * begin of the last complete sweep, or of the scan that made the index complete.
   */
  get ageMs(): number {
    return this.watchesAll ? 0 : performance.now() - this.#knownUpTo;
  }

  start(): void {
    for (let number = 0; number < this.#index.folderLimit; number++) {
      if (this.#index.hasFolder(number)) this.states.of(number);
    }
    this.checkRoot();
    this.#repeat(rootMs, () => this.checkRoot());
    this.#repeat(this.#options.sweepMs, () => this.#sweepUnwatched());
    this.#step();
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers.clear();
    clearImmediate(this.#turn);
  }

  receive(scanner: number, message: Message): void {
    if (message.kind === 'noticed') {
      if (this.#knowledge === 'listo') this.#options.onNews();
      return;
    }
    this.#inbox.push({ scanner, message });
    this.#schedule();
  }

  /**
   * Checks that the root is still the folder of this index; if it is another one, the index begins anew. Folders at
   * which a file system was mounted or unmounted are scanned again, with all below them.
   * @returns the error when the root cannot be opened, else undefined
   */
  checkRoot(): FileError | undefined {
    this.#checkMounts();
    const identity = this.#lookAtRoot();
    const before = this.#rootFolder;
    if (identity instanceof FileError) {
      if (before !== undefined) this.#rootFolder = { identity: before.identity, lost: true };
      if (this.#knowledge === 'listo') this.#know('verificando');
      return identity;
    }
    if (identity === before?.identity && !before.lost) return undefined;
    this.#rootFolder = { identity, lost: false };
    if (before !== undefined && before.identity !== identity) this.#beginAnew();
    this.#doubtAll();
    return undefined;
  }

  /**
   * Waits until everything that happened before this call is in the index, for at most `timeoutMs`: a new file is
   * found even if its event was still on the way. Returns the state of the index.
   */
  async caughtUp(timeoutMs: number): Promise<Knowledge> {
    if (this.#knowledge !== 'listo') return this.#knowledge;
    const inTime = await this.#barrier.pass(timeoutMs);
    return inTime || this.#knowledge !== 'listo' ? this.#knowledge : 'verificando';
  }

  /** Applies an lstat from outside the scanners; undefined when the entry is gone. */
  note(path: ByteString, stats: Stats | undefined): void {
    const folder = this.#index.folderAt(folderOf(path));
    const name = lastPart(path);
    if (folder === undefined || this.#index.find(folder, name) === noEntry) return;
    this.#reconciler.note(this.states.of(folder), name, stats);
    this.#schedule();
  }

  #describe(priority: Priority, folders: readonly FolderState[]) {
    const targets = {
      tokens: folders.map(({ token }) => token),
      paths: folders.map(({ number }) => this.#index.folderPath(number)).join('\0'),
      stamps: BigInt64Array.from(folders, ({ number }) => this.#index.folderStamp(number)),
    };
    return {
      targets,
      watch: this.#watches(priority),
      stats: priority !== 'names',
      urgent: priority === 'news',
      // A new folder's parent has just been read. If that was another folder, their identities tell.
      anew:
        priority === 'news' &&
        folders.some(({ identity, failures }) => identity !== undefined || failures > 0),
    };
  }

  /**
   * The first scan of a new tree is for names alone, and must be fast; the second one, once all names are in the
   * index, sets the watches.
   */
  #watches(priority: Priority): boolean {
    return priority !== 'names' || this.#knowledge !== 'construyendo';
  }

  #add(priority: Priority, state: FolderState): void {
    if (this.#pathBytes(state) > maxPathBytes) this.unreadable.setFolder(state.number, 'ENAMETOOLONG');
    else this.#frontier.add(priority, state);
  }

  /** Adds to the parent's length, because building the path is slow in a deep tree. */
  #pathBytes(state: FolderState): number {
    if (state.number === rootFolder) return 0;
    if (state.pathBytes === undefined) {
      const parent = this.states.of(this.#index.folderParent(state.number));
      const above = parent.number === rootFolder ? 0 : this.#pathBytes(parent) + 1;
      state.pathBytes = above + this.#index.nameOf(this.#index.folderEntry(state.number)).length;
    }
    return state.pathBytes;
  }

  #discovered(state: FolderState, named: boolean): void {
    const later = named && this.#doubted.has(state.scanner);
    this.#add(later ? 'names' : 'news', state);
  }

  #gone(states: readonly FolderState[]): void {
    for (const [scanner, link] of this.#options.scanners.entries()) {
      const tokens = states.filter((state) => state.scanner === scanner).map(({ token }) => token);
      if (tokens.length > 0) link.send({ kind: 'forget', tokens });
    }
  }

  #failed(state: FolderState, errno: string): void {
    const { number } = state;
    state.failures += 1;
    if (errno === rootErrno || (number === rootFolder && gone.has(errno))) {
      this.checkRoot();
    } else if (state.failures === 1) {
      // The parent's scanner may have reported meanwhile that the folder is back, or readable again.
      this.#add('news', state);
    } else if (gone.has(errno)) {
      if (!this.states.of(this.#index.folderParent(number)).watched) {
        this.#reconciler.remove(this.#index.folderEntry(number));
      }
    } else {
      this.unreadable.setFolder(number, errno);
      if (scarce.has(errno)) this.#later(scarceMs, () => this.#retry(state));
      else this.#reconciler.empty(number);
    }
  }

  #retry(state: FolderState): void {
    if (this.states.byToken(state.token) === state) this.#add('news', state);
    this.#schedule();
  }

  /** Schedules a new scan of everything that the given scanners watch. */
  #doubt(scanners: readonly number[]): void {
    for (const scanner of scanners) {
      this.#doubted.add(scanner);
      this.#options.scanners[scanner]?.send({ kind: 'refresh' });
    }
    for (const state of this.states.all()) {
      if (scanners.includes(state.scanner)) this.#add('names', state);
    }
    if (this.#knowledge === 'listo') this.#know('verificando');
    this.#schedule();
  }

  #doubtAll(): void {
    this.#lookingSince ??= performance.now();
    this.#doubt([...this.#options.scanners.keys()]);
  }

  #checkMounts(): void {
    const points = this.#mountTable.changes();
    if (points.length === 0) return;
    // Held folders may be those that a mount covers.
    for (const scanner of this.#options.scanners) scanner.send({ kind: 'refresh' });
    for (const point of points) this.#mounted(point);
    if (this.#knowledge === 'listo') this.#options.onNews();
    this.#schedule();
  }

  /**
   * Scans a folder again that is another one than at the scan before. That scan may have been between an unmount and
   * the mount of another file system with the same line in the mount table. From now on the table tells.
   */
  #replaced(state: FolderState): void {
    this.#checkMounts();
    this.#add('news', state);
  }

  /** Scans a mount point, and all known folders below it, before other work. */
  #mounted(point: ByteString): void {
    const folder = this.#index.folderAt(point);
    if (folder === undefined) {
      // A file is mounted over a file, or the folder is new.
      this.#add('news', this.states.of(this.#index.deepestFolder(point)));
      return;
    }
    // The parent reported the folder that is not at this path any more.
    this.states.of(folder).expected = undefined;
    for (const number of this.#index.foldersBelow(folder)) this.#add('news', this.states.of(number));
  }

  #beginAnew(): void {
    this.#reconciler.empty(rootFolder);
    this.#index.setFolderStamp(rootFolder, 0n);
    this.#know('construyendo');
  }

  #know(knowledge: Knowledge): void {
    if (knowledge === this.#knowledge) return;
    this.#knowledge = knowledge;
    this.#options.onKnowledge(knowledge);
  }

  #lookAtRoot(): string | FileError {
    try {
      using folder = this.#options.root.open([]);
      const { dev, ino } = folder.stat();
      return `${dev}:${ino}`;
    } catch (error) {
      if (error instanceof FileError) return error;
      throw error;
    }
  }

  #schedule(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#step();
    });
  }

  /**
   * Gives scanners new jobs. While the index is not complete, jobs are held back for a search, because two scanners
   * would take half of its processor time; but not for long, or constant searches would keep the index from ever
   * being complete.
   */
  #dispatch(): void {
    const now = performance.now();
    const isEarly = now < this.#dispatchedAt + withheldMs;
    const withheld = isEarly && this.#knowledge !== 'listo' && othersWait();
    this.#withheld = withheld;
    if (withheld) return;
    this.#dispatchedAt = now;
    this.#frontier.dispatch();
  }

  /** Runs one turn: applies reports to the index and gives idle scanners jobs. */
  #step(): void {
    const end = performance.now() + (othersWait() ? sharedTurnMs : turnMs);
    while (performance.now() < end && this.#advance());
    this.#tellChanges();
    this.#dispatch();
    this.#settle();
    if (this.#work !== undefined || this.#inbox.length > 0 || this.#withheld) this.#schedule();
    // While scanners work, the processor's time is theirs.
    else if (this.#frontier.isAtRest() && this.#index.maintain()) this.#schedule();
  }

  /**
   * Reports changes found without an event, such as one made through a hard link's other name. Not before the index
   * is complete: until then no answer is cached, and waking the other thread would cost a fifth of the first crawl's
   * time.
   */
  #tellChanges(): void {
    if (this.#knowledge !== 'listo' || this.#index.changes === this.#changesTold) return;
    this.#changesTold = this.#index.changes;
    this.#options.onNews();
  }

  /** Takes one step of work. @returns whether there is more to do */
  #advance(): boolean {
    if (this.#work === undefined) {
      const next = this.#inbox.shift();
      if (next === undefined) return false;
      this.#work = this.#take(next.scanner, next.message);
    }
    if (this.#work.next().done === true) this.#work = undefined;
    return true;
  }

  *#take(scanner: number, message: Report): Generator<void, void> {
    switch (message.kind) {
      case 'batch':
        yield* this.#unpack(message.batch);
        break;
      case 'synced':
        this.#barrier.synced(scanner, message.id);
        break;
      case 'overflow':
        for (const state of this.states.all()) {
          if (state.scanner === scanner) this.states.setWatched(state, false);
        }
        this.#doubt([scanner]);
    }
  }

  *#unpack(batch: ScanBatch): Generator<void, void> {
    // Only now: a scanner that runs ahead of the index fills memory with its reports.
    for (const job of batch.jobs) this.#frontier.free(job);
    this.#dispatch();
    yield* this.#reconciler.apply(batch);
    for (const job of batch.jobs) this.#frontier.finish(job);
  }

  /** Enters the next stage when nothing is left to do in this one. */
  #settle(): void {
    this.#barrier.look();
    if (!this.#frontier.isDone('names')) return;
    if (this.#doubted.size > 0) {
      this.#options.onNamed?.();
      for (const state of this.states.all()) {
        if (this.#doubted.has(state.scanner)) this.#add('stats', state);
      }
      this.#doubted.clear();
      this.#dispatch();
    }
    if (!this.#frontier.isDone('stats') || !this.#frontier.isDone('news')) return;
    if (this.#knowledge !== 'listo' && this.#rootFolder?.lost === false) this.#rest();
    if (
      this.#knowledge === 'listo' &&
      this.#lookingSince !== undefined &&
      this.#frontier.isDone('unwatched')
    ) {
      this.#knownUpTo = this.#lookingSince;
      this.#lookingSince = undefined;
    }
    const { watchedCount, count } = this.states;
    if (watchedCount === this.#watchedTold) return;
    this.#watchedTold = watchedCount;
    this.#options.onWatched(watchedCount, count);
  }

  #rest(): void {
    this.#know('listo');
    for (const scanner of this.#options.scanners) scanner.send({ kind: 'rest' });
  }

  #unwatched(): number {
    return this.states.count - this.states.watchedCount;
  }

  #sweepUnwatched(): void {
    // A sweep that takes longer than the interval is not interrupted by the next one.
    if (this.#knowledge !== 'listo' || this.#lookingSince !== undefined) return;
    this.#lookingSince = performance.now();
    for (const state of this.states.all()) if (!state.watched) this.#add('unwatched', state);
    this.#schedule();
  }

  #repeat(ms: number, action: () => void): void {
    this.#timers.add(setInterval(action, ms).unref());
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms).unref();
    this.#timers.add(timer);
  }
}
