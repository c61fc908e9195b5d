import type { ByteString } from '../../filesystem/byte-string.ts';
import type { Stats } from '../../filesystem/folder.ts';
import { Kind } from '../../filesystem/kind.ts';
import { type EntryId, type FolderListing, type FolderNumber, noEntry } from '../index/api.ts';
import type { MemoryIndex } from '../index/memory-index.ts';
import {
  endOfName,
  namesOf,
  type Report,
  ReportKind,
  type ReportRange,
  reportsOf,
  type ScanBatch,
  sharedBit,
} from '../scan/batch.ts';
import type { FolderState, FolderStates } from './folder-states.ts';
import type { Unreadable } from './unreadable.ts';

export interface ReconcilerOptions {
  readonly index: MemoryIndex;
  readonly states: FolderStates;
  readonly unreadable: Unreadable;
  /** Called with a folder that is new to the index. `named`: found by a scan of names. */
  readonly onNew: (state: FolderState, named: boolean) => void;
  /** Called with a folder that must be scanned again. */
  readonly onUnsure: (state: FolderState) => void;
  /** Called with a folder whose path led to another folder at the scan before. */
  readonly onReplaced: (state: FolderState) => void;
  /** Called with folders that have left the index. */
  readonly onGone: (states: readonly FolderState[]) => void;
  /** Called with a folder that could not be read. */
  readonly onFailed: (state: FolderState, errno: string) => void;
}

/**
 * Number of mismatches between a folder's identity and its parent's report, or the scan before, that are taken
 * seriously; some file systems never agree.
 */
const maxQuarrels = 3;
/** Entries between two steps. */
const stepSize = 500;

/** Applies the scanners' reports to the index. */
export class Reconciler {
  readonly #options: ReconcilerOptions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /**
   * Applies the reports in their order. Between two steps the index may be searched, but must not be maintained.
   */
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

  /** Applies an lstat from outside the scanners; undefined when the entry is gone. */
  note(state: FolderState, name: ByteString, stats: Stats | undefined): void {
    const { index, unreadable } = this.#options;
    unreadable.clearEntry(state.number, name);
    if (stats === undefined) {
      this.#vanished(state, name);
      return;
    }
    const entry = this.#put(state, name, stats.kind, false);
    index.setStats(entry, stats.size, stats.mtimeNs, stats.hardLinked);
  }

  /** Removes all entries of a folder. */
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
    switch (report.kind) {
      case ReportKind.FAILED:
        states.setWatched(state, false);
        onFailed(state, report.errno);
        break;
      case ReportKind.UNSURE:
        states.setWatched(state, false);
        onUnsure(state);
        break;
      case ReportKind.LOOKED:
        this.#date(state, report.stamp);
        yield* this.#entries(state, report, batch, names);
        break;
      case ReportKind.SAME:
      case ReportKind.LISTED:
        unreadable.forget(state.number);
        states.setWatched(state, report.watched);
        state.failures = 0;
        this.#identify(state, report.identity);
        this.#date(state, report.stamp);
        this.#compareIdentities(state);
        if (report.kind === ReportKind.SAME) break;
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
    // A folder read as a whole is mostly new, or has the same entries in the same order.
    const before = report.kind === ReportKind.LISTED ? index.children(number) : undefined;
    if (before?.length === 0 && !report.stats) {
      yield* this.#fill(state, report, { names, end: report.to, kinds });
      return;
    }
    let from = report.from;
    // Allocates nothing for an unchanged entry: there are millions.
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

  /** Adds the entries of a folder that was empty in the index. */
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

  /** Sets a folder's date. A change inside a folder changes its date without an event in its parent. */
  #date(state: FolderState, mtimeNs: bigint): void {
    const { index } = this.#options;
    const entry = index.folderEntry(state.number);
    if (entry !== noEntry) index.setStats(entry, 0, mtimeNs);
  }

  #identify(state: FolderState, identity: number): void {
    const isReplaced = state.identity !== undefined && state.identity !== identity;
    state.replacements = isReplaced ? state.replacements + 1 : 0;
    state.identity = identity;
    if (isReplaced && state.replacements <= maxQuarrels) this.#options.onReplaced(state);
  }

  #vanished(state: FolderState, name: ByteString): void {
    const entry = this.#options.index.find(state.number, name);
    if (entry !== noEntry) this.remove(entry);
  }

  /** Stores an entry's lstat result; a folder's size is its identity, and NaN is a failure. */
  #learn(entry: EntryId, kind: Kind, size: number, ms: number, ns: number): void {
    const { index, states, onUnsure } = this.#options;
    if (Number.isNaN(size)) return;
    if (kind !== Kind.FOLDER) {
      index.noteStats(entry, size, ms, ns % sharedBit, ns >= sharedBit);
      return;
    }
    const folder = states.of(index.folderOf(entry));
    // A watched folder's date comes from its own scanner; this one may be older.
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
   * Scans a folder again when its identity differs from its parent's report. It was then replaced by another folder of
   * the same name during the scan, and its watch is on the old one.
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
