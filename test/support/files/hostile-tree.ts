import { execFileSync } from 'node:child_process';
import { linkSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { TemporaryFolder } from './temporary-folder.ts';

/** An entry of a test's tree, before it is created. */
export interface PlannedEntry {
  readonly path: Buffer;
  readonly name: Buffer;
  readonly parent: Buffer;
  readonly kind: 1 | 2 | 3 | 4;
  readonly size: number;
  readonly modifiedMs: number;
}

const special = [
  'a',
  'a.b',
  'a b',
  'a0',
  'A',
  'Ñandú',
  'n\u0303andu\u0301',
  'ñ',
  'n',
  'ß',
  'SS',
  'İ',
  'ς',
  'σ',
  '-rf',
  '--',
  '*',
  '?',
  '[a]',
  'a\\b',
  '\n',
  'a\nb',
  '\t',
  ' ',
  "'",
  '"',
  '%2e%2e',
  '...',
  '.oculto',
  '..b',
  'parte2',
  'parte10',
  'parte002',
  'parte١',
  '😀',
  '👩‍👩‍👧',
  '\u202e',
  '\ufffd',
  '\ufeff',
  'x'.repeat(255),
  'ñ'.repeat(127),
  '__proto__',
  'constructor',
  'CON',
  'con',
].map((text) => Buffer.from(text));
const notUtf8 = [[0xff], [0xc3], [0xc3, 0x28], [0x61, 0xe9], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98]].map(
  (b) => Buffer.from(b),
);

/** Names that Linux allows, many of them unusual: no `/`, no NUL, not `.` or `..`, at most 255 bytes. */
export const hostileName: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom(...special) },
    { weight: 1, arbitrary: fc.constantFrom(...notUtf8) },
    {
      weight: 2,
      arbitrary: fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
    },
    {
      weight: 1,
      arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map((text) => Buffer.from(text)),
    },
  )
  .filter(
    (name) => !name.includes(0) && !name.includes(0x2f) && !['.', '..', ''].includes(name.toString('latin1')),
  );

const kind = fc.constantFrom(1, 1, 1, 2, 2, 3, 4) as fc.Arbitrary<1 | 2 | 3 | 4>;
const modifiedMs = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.integer({ min: Date.UTC(1905, 0), max: Date.UTC(2200, 0) }),
);

/** Trees of up to four levels. An entry is left out when its parent is not a folder. */
export const hostileTree: fc.Arbitrary<PlannedEntry[]> = fc
  .array(
    fc.record({
      parts: fc.array(hostileName, { minLength: 1, maxLength: 4 }),
      kind,
      size: fc.nat(3),
      modifiedMs,
    }),
    { maxLength: 30 },
  )
  .map((wishes) => {
    const planned = new Map<string, PlannedEntry>();
    for (const { parts, ...wish } of wishes) {
      let parent: Buffer = Buffer.alloc(0);
      for (const [index, name] of parts.entries()) {
        const path = parent.length === 0 ? name : Buffer.concat([parent, Buffer.from('/'), name]);
        const key = path.toString('hex');
        const kind = index === parts.length - 1 ? wish.kind : 2;
        // All FIFOs are hard links to one file, so they share its time.
        const modifiedMs = kind === 4 ? 0 : wish.modifiedMs;
        const entry = planned.get(key) ?? { size: wish.size, modifiedMs, kind, path, name, parent };
        planned.set(key, entry);
        if (entry.kind !== 2) break;
        parent = path;
      }
    }
    return [...planned.values()];
  });

/** Creates a planned tree in a new temporary folder. */
export function plantTree(plan: readonly PlannedEntry[]): TemporaryFolder {
  const folder = new TemporaryFolder();
  for (const entry of plan) plant(folder.path, entry);
  // Creating an entry changes its folder's time, so folders get their times last.
  for (const entry of plan.toReversed()) {
    const modified = new Date(entry.modifiedMs); // a negative number would mean the present to Node
    lutimesSync(inside(folder.path, entry.path), modified, modified);
  }
  return folder;
}

export function plant(root: string, entry: PlannedEntry): void {
  const at = inside(root, entry.path);
  if (entry.kind === 1) writeFileSync(at, 'x'.repeat(entry.size));
  if (entry.kind === 2) mkdirSync(at);
  if (entry.kind === 3) symlinkSync(outside(), at);
  if (entry.kind === 4) linkSync(fifo(), at);
}

/** Returns the size of a planted entry by lstat; -1 for a folder. */
export function plantedBytes(entry: PlannedEntry): number {
  return { 1: entry.size, 2: -1, 3: Buffer.byteLength(outside()), 4: 0 }[entry.kind];
}

export function inside(root: string, path: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), path]);
}

let elsewhere: TemporaryFolder | undefined;

/** Returns a folder outside of the tree, created once and removed when the process ends. */
function elsewhereFolder(): TemporaryFolder {
  if (elsewhere === undefined) {
    const made = new TemporaryFolder();
    // Node has no mkfifo, so one FIFO is created here and hard-linked into the trees.
    execFileSync('mkfifo', [made.join('fifo')]);
    mkdirSync(made.join('outside'));
    writeFileSync(made.join('outside', 'secret'), '');
    process.once('exit', () => made[Symbol.dispose]());
    elsewhere = made;
  }
  return elsewhere;
}

/** Returns the target of all links in random trees: a temporary folder outside of the root. */
export function outside(): string {
  return elsewhereFolder().join('outside');
}

function fifo(): string {
  return elsewhereFolder().join('fifo');
}
