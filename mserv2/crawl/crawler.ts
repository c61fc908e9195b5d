import type { ByteString } from '../../filesystem/byte-string.ts';
import { FileError } from '../../filesystem/file-error.ts';
import type { Stats } from '../../filesystem/folder.ts';
import type { Root } from '../../filesystem/root.ts';
import { othersWait } from '../../filesystem/slices.ts';
import { type FileIndex, noEntry, rootFolder } from '../index/api.ts';
import type { ScanBatch } from '../scan/batch.ts';
import { type Command, type Message, rootErrno } from '../scan/messages.ts';
import { Barrier } from './barrier.ts';
import { type FolderState, FolderStates } from './folder-states.ts';
import { CrawlFrontier, type Priority } from './frontier.ts';
import { Reconciler } from './reconciler.ts';
import { Unreadable } from './unreadable.ts';

/** How well the index knows the tree. */
export type Knowledge = 'construyendo' | 'verificando' | 'listo';

export interface CrawlerOptions {
  readonly index: FileIndex;
  /** Whether the index was loaded from a snapshot: there are names, and nobody knows whether they are still right. */
  readonly restored: boolean;
  readonly root: Root;
  /** What does the work, by number; their answers come in by `receive`. */
  readonly scanners: readonly { send(command: Command): void }[];
  readonly onKnowledge: (knowledge: Knowledge) => void;
  /** All names are known; sizes and dates come next. */
  readonly onNamed?: () => void;
  /** Something has happened in the tree, or was found out about it, that makes other answers. It may not be in the index yet. */
  readonly onNews: () => void;
  /** How many of all folders are watched; told once everything is known, and when that changes. */
  readonly onWatched: (watched: number, folders: number) => void;
  /** How often folders that cannot be watched are looked through. */
  readonly sweepMs: number;
}

/** What has to wait for its turn. */
type Report = Exclude<Message, { kind: 'noticed' }>;

/** Between two looks at the root, which has no parent that is watched. */
const rootMs = 1000;
/** Until what failed for want of descriptors or memory is tried again. */
const scarceMs = 1000;
const scarce: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']);
const gone: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE']);
/** PATH_MAX: what lies deeper no other program can name either. */
const maxPathBytes = 4096;
/** How long the index may be worked on before somebody else gets a turn. */
const turnMs = 5;
/** The same while a search waits: every slice of its work is followed by one of these. */
const sharedTurnMs = 1;
/** How long scanners get nothing new to do while somebody searches. What they have when it begins takes half of that. */
const withheldMs = 30;

/**
 * Keeps an index true. It decides what is scanned when, and what is known:
 *
 * - a tree that is new is scanned for its names first, then again for sizes and dates, with each folder watched from
 *   before it is read (`construyendo`);
 * - after a restart, and when events were lost, names are read again where a folder's mtime is another one, and then
 *   every entry is looked at (`verificando`);
 * - then events tell what to look at (`listo`), and what cannot be watched is looked through from time to time.
 */
export class Crawler {
  readonly states: FolderStates;
  readonly unreadable: Unreadable;
  readonly #options: CrawlerOptions;
  readonly #index: FileIndex;
  readonly #frontier: CrawlFrontier;
  readonly #reconciler: Reconciler;
  readonly #barrier: Barrier;
  /** Scanners whose folders must all be looked through again, once names are known. */
  readonly #doubted = new Set<number>();
  #knowledge: Knowledge;
  /** Its device and inode; and whether it could not be opened lately. */
  #rootFolder: { readonly identity: string; readonly lost: boolean } | undefined;
  #inbox: { readonly scanner: number; readonly message: Report }[] = [];
  #work: Generator<void, void> | undefined;
  #turn: NodeJS.Immediate | undefined;
  #dispatchedAt = Number.NEGATIVE_INFINITY;
  /** Whether scanners may have nothing to do though there is something. */
  #withheld = false;
  #watchedTold = -1;
  /** The index's count of changes up to which all are told. */
  #changesTold: number;
  #settledAt = performance.now();
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
      isAnybodys: (priority) => !this.#watches(priority),
    });
    this.#reconciler = new Reconciler({
      index,
      states: this.states,
      unreadable: this.unreadable,
      onNew: (state, named) => this.#discovered(state, named),
      onUnsure: (state) => this.#add('news', state),
      onGone: (states) => this.#gone(states),
      onFailed: (state, errno) => this.#failed(state, errno),
    });
    this.#barrier = new Barrier({
      scanners: scanners.length,
      send: (scanner, id) => scanners[scanner]?.send({ kind: 'sync', id }),
      isQuiet: () => this.#frontier.isDone('news'),
    });
  }

  get knowledge(): Knowledge {
    return this.#knowledge;
  }

  /** Whether everything is known, and nothing can happen in any folder that is not told by `onNews`. */
  get watchesAll(): boolean {
    return this.#knowledge === 'listo' && this.#unwatched() === 0;
  }

  /** The milliseconds since all of it was last known to be right. */
  get ageMs(): number {
    return this.watchesAll ? 0 : performance.now() - this.#settledAt;
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
   * Whether the root is the folder that the index is about. When it is another one now, the index begins anew.
   * @returns why it cannot be opened, or undefined
   */
  checkRoot(): FileError | undefined {
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
   * What is known once all that happened before this call is in the index: then a folder's new file is found, though its
   * event was still on the way. Does not wait for more than `timeoutMs`.
   */
  async caughtUp(timeoutMs: number): Promise<Knowledge> {
    if (this.#knowledge !== 'listo') return this.#knowledge;
    const inTime = await this.#barrier.pass(timeoutMs);
    return inTime || this.#knowledge !== 'listo' ? this.#knowledge : 'verificando';
  }

  /** Somebody else than a scanner made an lstat; undefined when the entry is gone. */
  note(parts: readonly ByteString[], name: ByteString, stats: Stats | undefined): void {
    const folder = this.#index.folderAt(parts);
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
    };
  }

  /**
   * Names alone, of a tree that nobody knows, are wanted fast; the second look, when all of them are in the index, comes with
   * a watch.
   */
  #watches(priority: Priority): boolean {
    return priority !== 'names' || this.#knowledge !== 'construyendo';
  }

  #add(priority: Priority, state: FolderState): void {
    if (this.#pathBytes(state) > maxPathBytes) this.unreadable.setFolder(state.number, 'ENAMETOOLONG');
    else this.#frontier.add(priority, state);
  }

  /** From the parent's, because making the path takes long in a deep tree. */
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
      // Whoever watches the parent may have seen meanwhile that it is there, and readable, again.
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

  /** Everything that a scanner watches, or all of them do, is to be looked through. */
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
    this.#doubt([...this.#options.scanners.keys()]);
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
   * While it builds, who searches goes first: two scanners would take half of the processors from them. They get something to do
   * all the same when they have waited for long, or the tree would never be known to those who search all the time.
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

  /** One turn: what was reported goes into the index, and who has time gets something to do. */
  #step(): void {
    const end = performance.now() + (othersWait() ? sharedTurnMs : turnMs);
    while (performance.now() < end && this.#advance());
    this.#tellChanges();
    this.#dispatch();
    this.#settle();
    if (this.#work !== undefined || this.#inbox.length > 0 || this.#withheld) this.#schedule();
    // While scanners are at work the processor's time is theirs.
    else if (this.#frontier.isAtRest() && this.#index.maintain()) this.#schedule();
  }

  /**
   * What was found without an event, as what a hard link's other name made of a file, changes answers too. Until all is
   * known no answer is kept, and to wake the thread that tells would take a fifth of the time of the first crawl.
   */
  #tellChanges(): void {
    if (this.#knowledge !== 'listo' || this.#index.changes === this.#changesTold) return;
    this.#changesTold = this.#index.changes;
    this.#options.onNews();
  }

  /** @returns whether there is more to do */
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
    // Not when it came: what scanners are ahead of the index lies in memory.
    for (const job of batch.jobs) this.#frontier.free(job);
    this.#dispatch();
    yield* this.#reconciler.apply(batch);
    for (const job of batch.jobs) this.#frontier.finish(job);
  }

  /** Goes over to the next stage when there is nothing left to do in this one. */
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
    if (this.#frontier.isDone('unwatched')) this.#settledAt = performance.now();
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
    if (this.#unwatched() === 0 || this.#knowledge !== 'listo') return;
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
