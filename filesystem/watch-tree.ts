import { type ByteString, joinParts } from './byte-string.ts';

/** A folder that is watched, with those below it that are. */
export class WatchNode {
  readonly path: ByteString;
  readonly name: ByteString;
  readonly parent: WatchNode | undefined;
  readonly children = new Map<ByteString, WatchNode>();
  /** When its watch began, by the tree's own count of watches and readings. */
  readonly since: number;
  /** Whether its own entries are what somebody keeps; else it is the way to such a folder, or a subfolder of one. */
  kept: boolean;

  constructor(parent: WatchNode | undefined, name: ByteString, since: number) {
    this.parent = parent;
    this.name = name;
    this.since = since;
    this.kept = false;
    this.path = parent === undefined ? name : joinParts(parent.path, name);
  }

  /** Nobody would miss it. */
  get idle(): boolean {
    return !this.kept && this.children.size === 0 && this.parent?.kept !== true;
  }

  /** Itself, and all below it. */
  *all(): Generator<WatchNode> {
    yield this;
    for (const child of this.children.values()) yield* child.all();
  }
}
