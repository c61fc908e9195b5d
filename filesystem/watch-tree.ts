import { type ByteString, joinParts } from './byte-string.ts';

/** A watched folder and its watched subfolders. */
export class WatchNode {
  readonly path: ByteString;
  readonly name: ByteString;
  readonly parent: WatchNode | undefined;
  readonly children = new Map<ByteString, WatchNode>();
  /** When its watch began, as a count of watches and readings in the tree. */
  readonly since: number;
  /** Whether the folder itself was requested; otherwise it is an ancestor or a subfolder of a requested folder. */
  kept: boolean;

  constructor(parent: WatchNode | undefined, name: ByteString, since: number) {
    this.parent = parent;
    this.name = name;
    this.since = since;
    this.kept = false;
    this.path = parent === undefined ? name : joinParts(parent.path, name);
  }

  /** Whether the watch is no longer needed. */
  get idle(): boolean {
    return !this.kept && this.children.size === 0 && this.parent?.kept !== true;
  }

  /** Yields this node and all nodes below it. */
  *all(): Generator<WatchNode> {
    yield this;
    for (const child of this.children.values()) yield* child.all();
  }
}
