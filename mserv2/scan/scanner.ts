import type { BigIntStats } from 'node:fs';
import type { ByteString } from '../../filesystem/byte-string.ts';
import { tellsChanges } from '../../filesystem/change-events.ts';
import { errnoOf, FileError } from '../../filesystem/file-error.ts';
import type { Folder } from '../../filesystem/folder.ts';
import { FolderChain } from '../../filesystem/folder-chain.ts';
import { Kind, kindOf } from '../../filesystem/kind.ts';
import { readNames } from '../../filesystem/names.ts';
import type { Root } from '../../filesystem/root.ts';
import { splitTime } from '../../filesystem/split-time.ts';
import { FolderWatches, itself, type WatchesOptions } from '../../filesystem/watches.ts';
import { collectGarbage } from '../../runtime/workers/garbage.ts';
import { BatchWriter, type FolderToken, sharedBit } from './batch.ts';
import { lstatAll, type Seen } from './bulk-lstat.ts';
import { type Command, type Message, pathsOf, rootErrno } from './messages.ts';
import { once, TaskQueue } from './task-queue.ts';

export interface ScannerOptions extends Pick<WatchesOptions<FolderToken>, 'limit' | 'capacity'> {
  readonly root: Root;
  readonly send: (message: Message) => void;
  /** Returns whether a file system reports every change; default by its type. */
  readonly tellsChanges?: (folder: Folder) => boolean;
}

/** A watched folder, with its path when the watch began. */
interface Watched {
  readonly path: ByteString;
  readonly identity: number;
}

/** Time that folders stay open for the next scan, which need not begin at the root then. */
const holdMs = 200;
/** Entries of one report; larger folders are reported in parts, so that events need not wait for them. */
const partSize = 512;

/**
 * Reads and watches folders on command, checks entries after events, and reports what it finds. All file system calls
 * that keep the index true are made here, in a worker, through the root's jail.
 */
export class Scanner {
  readonly #send: (message: Message) => void;
  readonly #tellsChanges: (folder: Folder) => boolean;
  readonly #chain: FolderChain;
  readonly #watches: FolderWatches<FolderToken>;
  readonly #watched = new Map<FolderToken, Watched>();
  /** Whether file systems report changes, by device. */
  readonly #telling = new Map<number, boolean>();
  readonly #batches = new BatchWriter();
  #release: NodeJS.Timeout | undefined;
  readonly #tasks = new TaskQueue(() => this.#endTurn());

  constructor(options: ScannerOptions) {
    this.#send = options.send;
    this.#tellsChanges = options.tellsChanges ?? tellsChanges;
    this.#chain = new FolderChain(options.root);
    this.#watches = new FolderWatches<FolderToken>({
      onChanges: (changes) => {
        this.#send({ kind: 'noticed' });
        for (const [token, names] of changes) this.#noticed(token, names);
      },
      onOverflow: () => this.#overflowed(),
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
    });
  }

  receive(command: Command): void {
    switch (command.kind) {
      case 'scan':
        if (command.urgent) this.#tasks.urgent(this.#scan(command));
        else this.#tasks.patient(this.#scan(command));
        break;
      case 'forget':
        for (const token of command.tokens) this.#unwatch(token);
        break;
      case 'refresh':
        this.#telling.clear();
        this.#tasks.patient(once(() => this.#letGo()));
        break;
      case 'rest':
        this.#tasks.patient(once(collectGarbage));
        break;
      case 'sync':
        // Two rounds of the event loop: the current one may have read events before the command came.
        setImmediate(() => setImmediate(() => this.#sync(command.id)));
    }
  }

  stop(): void {
    this.#tasks.stop();
    this.#watches.closeAll();
    this.#letGo();
  }

  #sync(id: number): void {
    this.#watches.flush();
    this.#tasks.urgent(
      once(() => {
        this.#deliver();
        this.#send({ kind: 'synced', id });
      }),
    );
  }

  /** A lost event may be a folder's removal: its watch would be dead without a sign. So all watches end. */
  #overflowed(): void {
    this.#watches.closeAll();
    this.#watched.clear();
    this.#deliver();
    this.#send({ kind: 'overflow' });
  }

  *#scan({ job, targets, watch, stats, anew }: Command & { kind: 'scan' }): Generator<void, void> {
    if (anew) this.#letGo();
    for (const [index, path] of pathsOf(targets).entries()) {
      const token = targets.tokens[index] ?? 0;
      try {
        const folder = this.#chain.open(path);
        if (watch) this.#watch(token, path, folder);
        const state = stateOf(folder);
        if (stats) yield* this.#readAll(token, path, folder, state);
        else this.#readNames(token, folder, state, targets.stamps[index] ?? 0n);
      } catch (error) {
        this.#unwatch(token);
        this.#batches.failed(token, errnoOrRoot(error));
      }
      yield;
    }
    this.#batches.done(job);
    this.#deliver();
  }

  #readNames(token: FolderToken, folder: Folder, { identity, stamp }: State, known: bigint): void {
    const watched = this.#watched.has(token);
    if (stamp === known) {
      this.#batches.same({ token, identity, stamp, watched });
      return;
    }
    const { names, kinds } = readNames(folder);
    this.#batches.listed({ token, identity, stamp, watched, stats: false }, names, kinds);
  }

  *#readAll(
    token: FolderToken,
    path: ByteString,
    folder: Folder,
    { identity, stamp }: State,
  ): Generator<void, void> {
    const watched = this.#watched.has(token);
    const { names, kinds } = readNames(folder);
    if (names.length <= partSize) {
      const seen = this.#lstat(token, folder, names, kinds);
      this.#batches.listed({ token, identity, stamp, watched, stats: true }, names, seen);
      return;
    }
    this.#batches.listed({ token, identity, stamp, watched, stats: false }, names, kinds);
    yield* this.#look(token, { path, identity }, names, kinds);
  }

  /** Reports a folder's names in parts; ends when another folder is at its path now. */
  *#look(
    token: FolderToken,
    { path, identity }: Watched,
    names: readonly ByteString[],
    kinds: readonly Kind[] = [],
  ): Generator<void, void> {
    for (let from = 0; from < names.length; from += partSize) {
      yield;
      this.#letGo();
      const opened = this.#reopen(path, identity);
      if (opened === undefined) {
        this.#unwatch(token);
        this.#batches.unsure(token);
        return;
      }
      const part = names.slice(from, from + partSize);
      const seen = this.#lstat(token, opened.folder, part, kinds.slice(from, from + partSize));
      this.#batches.looked({ token, identity, stamp: opened.stamp }, part, seen);
    }
  }

  /** Returns undefined when another folder, or none, is at the path now. */
  #reopen(path: ByteString, identity: number): { folder: Folder; stamp: bigint } | undefined {
    try {
      const folder = this.#chain.open(path);
      const state = stateOf(folder);
      return state.identity === identity ? { folder, stamp: state.stamp } : undefined;
    } catch (error) {
      errnoOrRoot(error);
      return undefined;
    }
  }

  /** Adds the stats of each name to the batch, and returns the kinds; 0 for a missing entry. */
  #lstat(
    token: FolderToken,
    folder: Folder,
    names: readonly ByteString[],
    kinds: readonly Kind[],
  ): (Kind | 0)[] {
    const all = lstatAll(folder, names);
    // The folder may be read, but its entries not accessed.
    if (all.length > 0 && all.every(isDenied)) throw all[0];
    return all.map((stats, index) => {
      if (stats === undefined) {
        this.#batches.stats(0, 0, 0);
        return 0;
      }
      if (stats instanceof Error) {
        this.#batches.stats(Number.NaN, 0, 0);
        this.#batches.failure({ token, name: names[index] ?? itself, errno: stats.code ?? '' });
        return kinds[index] ?? 0;
      }
      const kind = kindOf(stats);
      const { ms, ns } = splitTime(stats.mtimeNs);
      if (kind === Kind.FOLDER) this.#batches.stats(identityOf(stats), ms, ns);
      else this.#batches.stats(Number(stats.size), ms, stats.nlink > 1n ? ns | sharedBit : ns);
      return kind;
    });
  }

  #watch(token: FolderToken, path: ByteString, folder: Folder): void {
    const { identity, device } = stateOf(folder);
    const watched = this.#watched.get(token);
    if (watched?.identity === identity) return;
    if (watched !== undefined) this.#unwatch(token);
    const telling = this.#telling.get(device) ?? this.#tellsChanges(folder);
    this.#telling.set(device, telling);
    if (telling && this.#watches.open(token, folder)) this.#watched.set(token, { path, identity });
  }

  #unwatch(token: FolderToken): void {
    this.#watches.close(token);
    this.#watched.delete(token);
  }

  #noticed(token: FolderToken, names: ReadonlySet<ByteString | undefined>): void {
    const watched = this.#watched.get(token);
    if (watched === undefined) return;
    if (names.has(itself) || names.has(undefined)) {
      // The folder may have been deleted and another one with the same inode created: the watch would be dead.
      this.#unwatch(token);
      this.#tasks.urgent(once(() => this.#batches.unsure(token)));
      return;
    }
    this.#tasks.urgent(this.#look(token, watched, [...(names as ReadonlySet<ByteString>)]));
  }

  #endTurn(): void {
    this.#deliver();
    // The next scan is mostly of the same tree, but no folder is held open for long.
    this.#release ??= setTimeout(() => this.#letGo(), holdMs);
  }

  #letGo(): void {
    clearTimeout(this.#release);
    this.#release = undefined;
    this.#chain[Symbol.dispose]();
  }

  #deliver(): void {
    const batch = this.#batches.take();
    if (batch !== undefined) this.#send({ kind: 'batch', batch });
  }
}

interface State {
  readonly identity: number;
  readonly device: number;
  readonly stamp: bigint;
}

function stateOf(folder: Folder): State {
  const stats = folder.stat();
  return { identity: identityOf(stats), device: Number(stats.dev), stamp: stats.mtimeNs };
}

/** Tells a folder from one with the same inode on another device, which a mount may put in its place. */
function identityOf({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): number {
  return Number(BigInt.asUintN(53, ino + (dev << 32n)));
}

function isDenied(seen: Seen): boolean {
  return seen instanceof Error && seen.code === 'EACCES';
}

/** Returns the system's error code. @throws any other error */
function errnoOrRoot(error: unknown): string {
  if (error instanceof FileError)
    return error.reason === 'raiz-no-disponible' ? rootErrno : (errnoOf(error.cause) ?? 'EIO');
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  return errno;
}
