import { type FolderNumber, rootFolder } from '../index/api.ts';
import type { FolderToken } from '../scan/batch.ts';

/** What is known of a folder besides what the index knows. */
export interface FolderState {
  readonly number: FolderNumber;
  readonly token: FolderToken;
  /** Which scanner scans and watches it. */
  readonly scanner: number;
  /** The length of its path; undefined until somebody asks. */
  pathBytes: number | undefined;
  /** Its inode when it was scanned. */
  identity: number | undefined;
  /** Its inode as the folder that holds it told. */
  expected: number | undefined;
  /** How often those two differed since they last agreed. */
  quarrels: number;
  watched: boolean;
  /** How many scans of it have failed, one after the other. */
  failures: number;
  /** The priorities that it waits in, as bits. */
  waiting: number;
}

/** Folders that follow each other in the index are mostly siblings: one scanner opens their parent once for all of them. */
const blockSize = 16;

/** The folders that are in the index, by number and by token. */
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

  /** Makes one when there is none yet. */
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
      watched: false,
      failures: 0,
      waiting: 0,
    };
    this.#byNumber[number] = state;
    this.#byToken.set(state.token, state);
    return state;
  }

  /** Undefined when the folder is gone from the index. */
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
