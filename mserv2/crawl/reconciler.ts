import type { ByteString } from '../../filesystem/byte-string.ts';
import type { Stats } from '../../filesystem/folder.ts';
import { Kind } from '../../filesystem/kind.ts';
import { type EntryId, type FileIndex, type FolderNumber, noEntry } from '../index/api.ts';
import { namesOf, type Parcel, type Place, type Report, reportsOf, What } from '../survey/parcel.ts';
import type { FolderState, FolderStates } from './folder-states.ts';
import type { Unreadable } from './unreadable.ts';

export interface ReconcilerOptions {
  readonly index: FileIndex;
  readonly states: FolderStates;
  readonly unreadable: Unreadable;
  /** A folder that the index did not have. `named`: it was found by a survey of names. */
  readonly onNew: (state: FolderState, named: boolean) => void;
  /** A folder of which only a survey can tell what is in it now. */
  readonly onUnsure: (state: FolderState) => void;
  /** Folders that are in the index no more. */
  readonly onGone: (states: readonly FolderState[]) => void;
  /** A folder that could not be read. */
  readonly onFailed: (state: FolderState, errno: string) => void;
}

/** What lstat said of a name: its kind, 0 when it is gone. A folder has its inode for a size; NaN is a failure. */
interface Look {
  readonly kind: number;
  readonly size: number;
  readonly ms: number;
  readonly ns: number;
}

/** How often folders may be other ones than their parents say before that is taken for a whim of the file system. */
const maxQuarrels = 3;
/** Entries between two steps. */
const stepSize = 500;

/** Makes the index say what surveyors report. */
export class Reconciler {
  readonly #options: ReconcilerOptions;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Applies the reports in their order. In between the steps the index can be asked, but must not be maintained. */
  *apply(parcel: Parcel): Generator<void, void> {
    const { states, unreadable } = this.#options;
    let since = 0;
    for (const report of reportsOf(parcel)) {
      const state = states.byToken(report.token);
      if (state === undefined) continue;
      yield* this.#report(state, report, parcel);
      since += report.count + 1;
      if (since > stepSize) {
        since = 0;
        yield;
      }
    }
    for (const { token, name, errno } of parcel.failures) {
      const state = states.byToken(token);
      if (state !== undefined) unreadable.setEntry(state.number, name, errno);
    }
  }

  /** What an lstat by somebody else than a surveyor told; undefined when the entry is gone. */
  note(state: FolderState, name: ByteString, stats: Stats | undefined): void {
    if (stats === undefined) {
      this.#look(state, name, { kind: 0, size: 0, ms: 0, ns: 0 });
      return;
    }
    const { index } = this.#options;
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

  *#report(state: FolderState, report: Report & Place, parcel: Parcel): Generator<void, void> {
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
        yield* this.#entries(state, report, parcel);
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
        yield* this.#entries(state, report, parcel);
        if (states.byToken(state.token) !== state) break;
        if (index.childCount(state.number) !== report.count) {
          this.#removeOthers(state.number, new Set(namesOf(parcel, report)));
        }
        index.setFolderStamp(state.number, report.stamp);
    }
  }

  *#entries(state: FolderState, report: Report & Place, parcel: Parcel): Generator<void, void> {
    const { states } = this.#options;
    const { kinds, sizes, ms, ns } = parcel;
    for (const [n, name] of namesOf(parcel, report).entries()) {
      const kind = kinds[report.name + n] ?? 0;
      const at = report.stat + n;
      if (report.stats) {
        this.#look(state, name, { kind, size: sizes[at] ?? 0, ms: ms[at] ?? 0, ns: ns[at] ?? 0 });
      } else {
        this.#put(state, name, kind as Kind, true);
      }
      if (n % stepSize !== stepSize - 1) continue;
      yield;
      if (states.byToken(state.token) !== state) return;
    }
  }

  /** What a folder holds changes its date, and that is no event in the folder that holds it. */
  #date(state: FolderState, mtimeNs: bigint): void {
    const { index } = this.#options;
    const entry = index.folderEntry(state.number);
    if (entry !== noEntry && !index.sameStats(entry, 0, mtimeNs)) index.setStats(entry, 0, mtimeNs);
  }

  #look(state: FolderState, name: ByteString, { kind, size, ms, ns }: Look): void {
    const { index, states, unreadable, onUnsure } = this.#options;
    unreadable.clearEntry(state.number, name);
    if (kind === 0) {
      const entry = index.find(state.number, name);
      if (entry !== noEntry) this.remove(entry);
      return;
    }
    const entry = this.#put(state, name, kind as Kind, false);
    const mtimeNs = BigInt(ms) * 1_000_000n + BigInt(ns);
    if (Number.isNaN(size)) return;
    if (kind !== Kind.FOLDER) {
      if (!index.sameStats(entry, size, mtimeNs)) index.setStats(entry, size, mtimeNs);
      return;
    }
    const folder = states.of(index.folderOf(entry));
    // Of a folder that is watched its own surveyor tells the date, and what this one saw may be older.
    if (!folder.watched && !index.sameStats(entry, 0, mtimeNs)) index.setStats(entry, 0, mtimeNs);
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
   * A folder that was replaced by another one of the same name, while it was surveyed, is watched no more though it seems to
   * be. Its inode as its parent tells it, and as its own survey does, show that.
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
