import { type FolderNumber, rootFolder } from '../index/api.ts';
import type { FolderToken } from '../scan/batch.ts';

/** State of a folder's scans and watch, besides what the index holds. */
export interface FolderState {
  readonly number: FolderNumber;
  readonly token: FolderToken;
  /** Number of the scanner that scans and watches it. */
  readonly scanner: number;
  /** Length of its path; undefined until it is needed. */
  pathBytes: number | undefined;
  /** Device and inode from its last scan, in one number. */
  identity: number | undefined;
  /** Device and inode from the last scan of its parent, in one number. */
  expected: number | undefined;
  /** Number of times that the two differed since they last agreed. */
  quarrels: number;
  /** Number of scans in a row that found another identity than the scan before. */
  replacements: number;
  watched: boolean;
  /** Number of scans that failed in a row. */
  failures: number;
  /** Priorities whose queue it is in, as bits. */
  waiting: number;
}

/** Neighbours in the index are mostly siblings: one scanner opens their parent once. */
const blockSize = 16;

/** The folders of the index, by number and by token. */
export class FolderStates {
  readonly #scanners: number;
  readonly #byNumber: (FolderState | undefined)[] = [];
  readonly #byToken = new Map<FolderToken, FolderState>();
  #lastToken = 0;
  #watched = 0;

  constructor(scanners: number) {
    this.#scanners = scanners;
  }

  get count(): number {
    return this.#byToken.size;
  }

  get watchedCount(): number {
    return this.#watched;
  }

  get root(): FolderState {
    return this.of(rootFolder);
  }

  /** Returns a folder's state; creates it when there is none. */
  of(number: FolderNumber): FolderState {
    const known = this.#byNumber[number];
    if (known !== undefined) return known;
    this.#lastToken += 1;
    const state: FolderState = {
      number,
      token: this.#lastToken,
      scanner: Math.floor(number / blockSize) % this.#scanners,
      pathBytes: undefined,
      identity: undefined,
      expected: undefined,
      quarrels: 0,
      replacements: 0,
      watched: false,
      failures: 0,
      waiting: 0,
    };
    this.#byNumber[number] = state;
    this.#byToken.set(state.token, state);
    return state;
  }

  /** Returns undefined when the folder has left the index. */
  byToken(token: FolderToken): FolderState | undefined {
    return this.#byToken.get(token);
  }

  all(): Iterable<FolderState> {
    return this.#byToken.values();
  }

  setWatched(state: FolderState, watched: boolean): void {
    if (state.watched !== watched) this.#watched += watched ? 1 : -1;
    state.watched = watched;
  }

  forget(number: FolderNumber): FolderState | undefined {
    const state = this.#byNumber[number];
    if (state === undefined) return undefined;
    this.setWatched(state, false);
    this.#byToken.delete(state.token);
    this.#byNumber[number] = undefined;
    return state;
  }
}
