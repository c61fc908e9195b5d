import type { ByteString } from '../../filesystem/byte-string.ts';
import type { Stats } from '../../filesystem/folder.ts';
import { Kind } from '../../filesystem/kind.ts';
import {
  type EntryId,
  type FileIndex,
  type FolderListing,
  type FolderNumber,
  noEntry,
} from '../index/api.ts';
import {
  endOfName,
  namesOf,
  type Report,
  type ReportRange,
  reportsOf,
  type ScanBatch,
  What,
} from '../scan/batch.ts';
import type { FolderState, FolderStates } from './folder-states.ts';
import type { Unreadable } from './unreadable.ts';

export interface ReconcilerOptions {
  readonly index: FileIndex;
  readonly states: FolderStates;
  readonly unreadable: Unreadable;
  /** A folder that the index did not have. `named`: it was found by a scan of names. */
  readonly onNew: (state: FolderState, named: boolean) => void;
  /** A folder of which only a scan can tell what is in it now. */
  readonly onUnsure: (state: FolderState) => void;
  /** Folders that are in the index no more. */
  readonly onGone: (states: readonly FolderState[]) => void;
  /** A folder that could not be read. */
  readonly onFailed: (state: FolderState, errno: string) => void;
}

/** How often folders may be other ones than their parents say before that is taken for a whim of the file system. */
const maxQuarrels = 3;
/** Entries between two steps. */
const stepSize = 500;

/** Makes the index say what scanners report. */
export class Reconciler {
  readonly #options: ReconcilerOptions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Applies the reports in their order. In between the steps the index can be asked, but must not be maintained. */
  *apply(batch: ScanBatch): Generator<void, void> {
    const { states, unreadable } = this.#options;
    const names = Buffer.from(batch.names.buffer);
    let since = 0;
    for (const report of reportsOf(batch)) {
      const state = states.byToken(report.token);
      if (state === undefined) continue;
      yield* this.#report(state, report, batch, names);
      since += report.count + 1;
      if (since > stepSize) {
        since = 0;
        yield;
      }
    }
    for (const { token, name, errno } of batch.failures) {
      const state = states.byToken(token);
      if (state !== undefined) unreadable.setEntry(state.number, name, errno);
    }
  }

  /** What an lstat by somebody else than a scanner told; undefined when the entry is gone. */
  note(state: FolderState, name: ByteString, stats: Stats | undefined): void {
    const { index, unreadable } = this.#options;
    unreadable.clearEntry(state.number, name);
    if (stats === undefined) {
      this.#vanished(state, name);
      return;
    }
    const entry = this.#put(state, name, stats.kind, false);
    if (!index.sameStats(entry, stats.size, stats.mtimeNs)) index.setStats(entry, stats.size, stats.mtimeNs);
  }

  /** Removes all that a folder holds. */
  empty(folder: FolderNumber): void {
    for (const entry of this.#options.index.children(folder)) this.remove(entry);
  }

  remove(entry: EntryId): void {
    const { index, states, unreadable, onGone } = this.#options;
    const gone: FolderState[] = [];
    for (const number of index.remove(entry)) {
      unreadable.forget(number);
      const state = states.forget(number);
      if (state !== undefined) gone.push(state);
    }
    if (gone.length > 0) onGone(gone);
  }

  *#report(
    state: FolderState,
    report: Report & ReportRange,
    batch: ScanBatch,
    names: Buffer,
  ): Generator<void, void> {
    const { index, states, unreadable, onFailed, onUnsure } = this.#options;
    switch (report.what) {
      case What.FAILED:
        states.setWatched(state, false);
        onFailed(state, report.errno);
        break;
      case What.UNSURE:
        states.setWatched(state, false);
        onUnsure(state);
        break;
      case What.LOOKED:
        this.#date(state, report.stamp);
        yield* this.#entries(state, report, batch, names);
        break;
      case What.SAME:
      case What.LISTED:
        unreadable.forget(state.number);
        states.setWatched(state, report.watched);
        state.failures = 0;
        state.identity = report.identity;
        this.#date(state, report.stamp);
        this.#compareIdentities(state);
        if (report.what === What.SAME) break;
        yield* this.#entries(state, report, batch, names);
        if (states.byToken(state.token) !== state) break;
        if (index.childCount(state.number) !== report.count) {
          this.#removeOthers(state.number, new Set(namesOf(batch, report)));
        }
        index.setFolderStamp(state.number, report.stamp);
    }
  }

  *#entries(
    state: FolderState,
    report: Report & ReportRange,
    batch: ScanBatch,
    names: Buffer,
  ): Generator<void, void> {
    const { index, states, unreadable } = this.#options;
    const { kinds, sizes, ms, ns } = batch;
    const { number } = state;
    // Read as a whole, a folder mostly is new, or has what it had, in the same order.
    const before = report.what === What.LISTED ? index.children(number) : undefined;
    if (before?.length === 0 && !report.stats) {
      yield* this.#fill(state, report, { names, end: report.to, kinds });
      return;
    }
    let from = report.from;
    // Nothing is allocated for an entry that is as expected: there are millions.
    for (let n = 0; n < report.count; n++) {
      const to = endOfName(names, from, report.to);
      const kind = (kinds[report.name + n] ?? 0) as Kind | 0;
      if (report.stats && unreadable.hasEntries(number)) {
        unreadable.clearEntry(number, nameIn(names, from, to));
      }
      if (kind === 0) {
        this.#vanished(state, nameIn(names, from, to));
      } else {
        const expected = before?.[n] ?? noEntry;
        let entry: EntryId;
        if (
          expected !== noEntry &&
          index.kindOf(expected) === kind &&
          index.isNamed(expected, number, names, from, to)
        )
          entry = expected;
        else entry = this.#put(state, nameIn(names, from, to), kind, !report.stats);
        const at = report.stat + n;
        if (report.stats) this.#learn(entry, kind, sizes[at] ?? 0, ms[at] ?? 0, ns[at] ?? 0);
      }
      from = to + 1;
      if (n % stepSize !== stepSize - 1) continue;
      yield;
      if (states.byToken(state.token) !== state) return;
    }
  }

  /** Of a folder that was empty. */
  *#fill(state: FolderState, report: Report & ReportRange, listing: FolderListing): Generator<void, void> {
    const { index, states, onNew } = this.#options;
    const { number } = state;
    const last = report.name + report.count;
    let from = report.from;
    for (let next = report.name; next < last; next += stepSize) {
      const until = Math.min(next + stepSize, last);
      from = index.append(number, listing, from, next, until, (folder) => onNew(states.of(folder), true));
      yield;
      if (states.byToken(state.token) !== state) return;
    }
  }

  /** What a folder holds changes its date, and that is no event in the folder that holds it. */
  #date(state: FolderState, mtimeNs: bigint): void {
    const { index } = this.#options;
    const entry = index.folderEntry(state.number);
    if (entry !== noEntry) index.setStats(entry, 0, mtimeNs);
  }

  #vanished(state: FolderState, name: ByteString): void {
    const entry = this.#options.index.find(state.number, name);
    if (entry !== noEntry) this.remove(entry);
  }

  /** What lstat said; a folder has its inode for a size; NaN is a failure. */
  #learn(entry: EntryId, kind: Kind, size: number, ms: number, ns: number): void {
    const { index, states, onUnsure } = this.#options;
    if (Number.isNaN(size)) return;
    if (kind !== Kind.FOLDER) {
      index.noteStats(entry, size, ms, ns);
      return;
    }
    const folder = states.of(index.folderOf(entry));
    // Of a folder that is watched its own scanner tells the date, and what this one saw may be older.
    if (!folder.watched) index.noteStats(entry, 0, ms, ns);
    const replaced = folder.expected !== undefined && folder.expected !== size;
    folder.expected = size;
    if (replaced || folder.failures > 0) onUnsure(folder);
    this.#compareIdentities(folder);
  }

  #put(state: FolderState, name: ByteString, kind: Kind, named: boolean): EntryId {
    const { index, states, onNew } = this.#options;
    const there = index.find(state.number, name);
    if (there !== noEntry) {
      if (index.kindOf(there) === kind) return there;
      this.remove(there);
    }
    const entry = index.put(state.number, name, kind);
    if (kind === Kind.FOLDER) onNew(states.of(index.folderOf(entry)), named);
    return entry;
  }

  #removeOthers(folder: FolderNumber, names: ReadonlySet<ByteString>): void {
    const { index } = this.#options;
    for (const entry of index.children(folder)) if (!names.has(index.nameOf(entry))) this.remove(entry);
  }

  /**
   * A folder that was replaced by another one of the same name, while it was scanned, is watched no more though it seems to
   * be. Its inode as its parent tells it, and as its own scan does, show that.
   */
  #compareIdentities(state: FolderState): void {
    const { index, states, onUnsure } = this.#options;
    if (!state.watched || state.identity === undefined || state.expected === undefined) return;
    if (state.identity === state.expected) {
      state.quarrels = 0;
      return;
    }
    state.quarrels += 1;
    if (state.quarrels > maxQuarrels) return;
    onUnsure(state);
    onUnsure(states.of(index.folderParent(state.number)));
  }
}

function nameIn(names: Buffer, from: number, to: number): ByteString {
  return names.toString('latin1', from, to) as ByteString;
}
