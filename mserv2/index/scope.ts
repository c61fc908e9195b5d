import { type FolderNumber, rootFolder } from './api.ts';
import { isHidden } from './facts.ts';
import type { ReadView } from './read-view.ts';

const unknown = 0;
const inside = 1;
const outside = 2;

/**
 * The folders that a query searches: the start and all below it, without hidden ones unless the query wants them.
 */
export class FolderScope {
  readonly #view: ReadView;
  readonly #start: FolderNumber;
  readonly #withHidden: boolean;
  #judged = new Uint8Array(0);
  #epoch = -1;

  constructor(view: ReadView, start: FolderNumber, withHidden: boolean) {
    this.#view = view;
    this.#start = start;
    this.#withHidden = withHidden;
  }

  /** Must be called after every pause: folders may have been removed. */
  refresh(): void {
    const { tree } = this.#view.index;
    if (tree.epoch === this.#epoch && tree.limit <= this.#judged.length) return;
    this.#judged = new Uint8Array(tree.limit);
    this.#epoch = tree.epoch;
  }

  has(folder: FolderNumber): boolean {
    const judged = this.#judged[folder] ?? unknown;
    return judged === unknown ? this.#judge(folder) : judged === inside;
  }

  #judge(folder: FolderNumber): boolean {
    const { tree } = this.#view.index;
    const way: FolderNumber[] = [];
    let at = folder;
    for (; (this.#judged[at] ?? unknown) === unknown; at = tree.parents[at] ?? rootFolder) {
      way.push(at);
      if (at === this.#start || at === rootFolder || this.#isShut(at)) break;
    }
    // The last folder decides for those below it: it is the start, or judged before, or without a way to the start.
    const known = this.#judged[at] ?? unknown;
    const isIn = known === unknown ? at === this.#start && tree.isLive(at) : known === inside;
    for (const passed of way) this.#judged[passed] = isIn ? inside : outside;
    return isIn;
  }

  #isShut(folder: FolderNumber): boolean {
    const { index } = this.#view;
    if (!index.tree.isLive(folder)) return true;
    return !this.#withHidden && (index.factsOf(index.folderEntry(folder)) & isHidden) !== 0;
  }
}
