import fc from 'fast-check';
import { type ByteString, fromBytes, joinParts, toBytes } from '../../../filesystem/byte-string.ts';
import { Kind } from '../../../filesystem/kind.ts';
import { noEntry } from '../../../mserv2/index/api.ts';
import { MemoryIndex } from '../../../mserv2/index/memory-index.ts';
import { hostileName } from '../files/hostile-tree.ts';

/** An entry that the index should hold. */
export interface ModelEntry {
  readonly path: ByteString;
  readonly name: ByteString;
  readonly kind: Kind;
  size: number | undefined;
  mtimeNs: bigint | undefined;
}

/** A change of the index. `folder` and `entry` select, modulo their count, among those that exist at that time. */
export type IndexStep =
  | {
      readonly do: 'put';
      readonly folder: number;
      readonly name: ByteString;
      readonly kind: Kind;
      readonly append: boolean;
    }
  | { readonly do: 'stat'; readonly entry: number; readonly size: number; readonly mtimeNs: bigint }
  | { readonly do: 'remove'; readonly entry: number }
  | { readonly do: 'maintain'; readonly times: number };

/** Names that often collide, mixed with unusual ones. */
export const anyName: fc.Arbitrary<ByteString> = fc
  .oneof(
    { weight: 2, arbitrary: hostileName },
    {
      weight: 3,
      arbitrary: fc
        .string({
          unit: fc.constantFrom('a', 'b', 'B', 'A', '.', '-', '_', ' ', '1', 'é', 'Ñ', 'ß'),
          minLength: 1,
          maxLength: 6,
        })
        .filter((text) => text !== '.' && text !== '..')
        .map((text) => Buffer.from(text)),
    },
  )
  .map(fromBytes);

export const anyTime: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: -3n, max: 3_000_002n }),
  fc.bigInt({ min: -62135596800_000_000_000n, max: 253402300799_999_999_999n }),
);

const put: fc.Arbitrary<IndexStep> = fc.record({
  do: fc.constant('put' as const),
  folder: fc.nat(),
  name: anyName,
  kind: fc.constantFrom(Kind.FILE, Kind.FILE, Kind.FOLDER, Kind.FOLDER, Kind.LINK, Kind.OTHER),
  append: fc.boolean(),
});
const others: fc.Arbitrary<IndexStep> = fc.oneof(
  fc.record({
    do: fc.constant('stat' as const),
    entry: fc.nat(),
    size: fc.oneof(fc.nat(3), fc.maxSafeNat()),
    mtimeNs: anyTime,
  }),
  fc.record({ do: fc.constant('remove' as const), entry: fc.nat() }),
  fc.record({ do: fc.constant('maintain' as const), times: fc.nat(4) }),
);

export function anySteps(maxLength = 60): fc.Arbitrary<IndexStep[]> {
  const step = fc.oneof({ weight: 3, arbitrary: put }, { weight: 2, arbitrary: others });
  // By default fast-check makes at most ten.
  return fc.array(step, { maxLength, size: 'max' });
}

/** An index beside a map of the entries that it should hold. Its segments are small, so that few entries fill many. */
export class IndexModel {
  readonly index: MemoryIndex;
  readonly entries = new Map<ByteString, ModelEntry>();

  constructor(index = new MemoryIndex({ segmentEntries: 8 })) {
    this.index = index;
  }

  folderPaths(): ByteString[] {
    const folders = [...this.entries.values()].filter(({ kind }) => kind === Kind.FOLDER);
    return ['' as ByteString, ...folders.map(({ path }) => path)];
  }

  run(steps: readonly IndexStep[]): void {
    for (const step of steps) this.step(step);
  }

  step(step: IndexStep): void {
    if (step.do === 'maintain') {
      for (let i = 0; i < step.times; i++) this.index.maintain();
    } else if (step.do === 'put') {
      this.put(this.#folderOf(step), step.name, step.kind, step.append);
    } else {
      const entry = this.#entryOf(step);
      if (entry === undefined) return;
      if (step.do === 'remove') this.remove(entry.path);
      else this.stat(entry, step.size, step.mtimeNs);
    }
  }

  /** Returns the path that a step would remove now, with all entries below it. */
  victimOf(step: IndexStep): ByteString | undefined {
    if (step.do === 'remove') return this.#entryOf(step)?.path;
    if (step.do !== 'put') return undefined;
    const there = this.entries.get(joinParts(this.#folderOf(step), step.name));
    return there?.kind === step.kind ? undefined : there?.path;
  }

  #folderOf({ folder }: { readonly folder: number }): ByteString {
    const folders = this.folderPaths();
    return folders[folder % folders.length] ?? ('' as ByteString);
  }

  #entryOf({ entry }: { readonly entry: number }): ModelEntry | undefined {
    return [...this.entries.values()][entry % Math.max(1, this.entries.size)];
  }

  /** Puts an entry; with `append`, a new one goes in as part of a listing, as the crawler does it. */
  put(folder: ByteString, name: ByteString, kind: Kind, append = false): void {
    const path = joinParts(folder, name);
    const there = this.entries.get(path);
    if (there !== undefined && there.kind !== kind) this.remove(path);
    const names = Buffer.concat([Buffer.from('a/'), toBytes(name), Buffer.from('/b')]);
    if (!append || there !== undefined) this.index.put(this.folder(folder), name, kind);
    else {
      const listing = { names, end: names.length, kinds: Uint8Array.of(Kind.OTHER, kind, Kind.OTHER) };
      this.index.append(this.folder(folder), listing, 2, 1, 2, () => undefined);
    }
    if (there?.kind !== kind) {
      this.entries.set(path, { path, name, kind, size: undefined, mtimeNs: undefined });
    }
  }

  stat(entry: ModelEntry, size: number, mtimeNs: bigint): void {
    this.index.setStats(this.find(entry.path), size, mtimeNs);
    entry.size = size;
    entry.mtimeNs = mtimeNs;
  }

  /** @returns the numbers of the removed folders, as reported by the index */
  remove(path: ByteString): number[] {
    const gone = this.index.remove(this.find(path));
    for (const other of this.entries.keys()) {
      if (other === path || other.startsWith(`${path}/`)) this.entries.delete(other);
    }
    return gone;
  }

  folder(path: ByteString): number {
    const folder = this.index.folderAt(path);
    if (folder === undefined) throw new Error(`Folder not found: ${path}`);
    return folder;
  }

  find(path: ByteString): number {
    const at = path.lastIndexOf('/');
    const folder = this.folder(path.slice(0, Math.max(0, at)) as ByteString);
    const entry = this.index.find(folder, path.slice(at + 1) as ByteString);
    if (entry === noEntry) throw new Error(`Entry not found: ${path}`);
    return entry;
  }
}
