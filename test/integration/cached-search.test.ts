import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { untilKnown } from '../support/clients/freshness.ts';
import { eventually } from '../support/processes/eventually.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';

interface Found {
  readonly archivos: readonly { readonly ruta: string; readonly bytes?: number }[];
  readonly total: number;
}

async function search(it: SetUp, query: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await it.get(`/buscar_archivos?${query}`, headers);
  const { archivos, total } = (await answer.json()) as Found;
  const found = archivos?.map(({ ruta, bytes }) => `${ruta} ${bytes ?? ''}`);
  return { servedBy: answer.headers.get('servido-por'), found, total };
}

type Answer = Awaited<ReturnType<typeof search>>;

/** Repeats the search until the cache answers it. */
async function cached(it: SetUp, query: string): Promise<void> {
  await eventually(async () => (await search(it, query)).servedBy === 'cache');
}

/** Waits until the answer is right; fails when the cache serves an older one for too long. */
async function expectSoon(it: SetUp, query: string, knows: (answer: Answer) => boolean, why?: string) {
  const end = await untilKnown(async () => {
    const answer = await search(it, query);
    return { fromCache: answer.servedBy === 'cache', knows: knows(answer) };
  });
  expect(end, why).to.equal('known');
}

describe('A cached search', () => {
  it('is served until any folder of the tree changes, and is bypassed by no-cache', async () => {
    await using it = await setUp({ running: ['mserv2', 'gateway'] });
    mkdirSync(join(it.root, 'a'));
    writeFileSync(join(it.root, 'a/uno'), '1');
    await cached(it, 'nombre=uno');
    expect((await search(it, 'nombre=uno', { 'cache-control': 'no-cache' })).servedBy).to.equal('grpc');
    mkdirSync(join(it.root, 'b'));
    await expectSoon(it, 'nombre=uno', ({ servedBy }) => servedBy === 'grpc');
    await cached(it, 'nombre=uno');
    appendFileSync(join(it.root, 'a/uno'), '2');
    await expectSoon(it, 'nombre=uno', ({ found }) => found[0] === 'a/uno 2');
  });

  it('is not served while mserv2 is frozen, nor after mserv2 was restarted', async () => {
    await using it = await setUp({ running: ['mserv2', 'gateway'], env: { MSERV2_SNAPSHOT: '' } });
    writeFileSync(join(it.root, 'uno'), '');
    await cached(it, 'nombre=uno');
    it.processes.get('mserv2')?.pause();
    writeFileSync(join(it.root, 'uno.2'), '');
    await expectSoon(it, 'nombre=uno', ({ servedBy }) => servedBy === 'cola');
    it.processes.get('mserv2')?.resume();
    await eventually(async () => (await search(it, 'nombre=uno')).servedBy !== 'cola');
    expect((await search(it, 'nombre=uno')).total).to.equal(2);
    await cached(it, 'nombre=uno');
    await it.end('mserv2');
    rmSync(join(it.root, 'uno.2'));
    await it.start('mserv2');
    // Answers of an index that is still being built are not cached either.
    await cached(it, 'nombre=uno');
    expect((await search(it, 'nombre=uno')).found).to.deep.equal(['uno 0']);
  });

  it('equals a walk of the tree a moment after any changes', async () => {
    await using it = await setUp({ running: ['mserv2', 'gateway'] });
    const words = ['', 'a', 'b', 'fichero'];
    const queries = words.map((word) => `limite=10000&orden=ruta&nombre=${word}`);
    const wantedNow = (): string[][] => {
      const all = walk(it.root).sort((one, other) => (one < other ? -1 : 1));
      return words.map((word) => all.filter((line) => nameOf(line).includes(word)));
    };
    const anyPath = fc.constantFrom('a', 'b', 'a/a', 'a/b', 'a/b/fichero', 'b/fichero', 'fichero');
    const anyChange = fc.record({
      do: fc.constantFrom('write', 'write', 'folder', 'folder', 'remove', 'move'),
      at: anyPath,
      to: anyPath,
    });
    const rounds = fc.sample(fc.array(anyChange, { minLength: 1, maxLength: 20 }), 5);
    for (const [n, round] of rounds.entries()) {
      // Every query is cached when the changes begin.
      for (const query of queries) await cached(it, query);
      for (const step of round) change(it.root, step);
      const shown = JSON.stringify(round);
      // no-store keeps these answers from replacing the cached ones.
      const bypass = { 'cache-control': 'no-cache, no-store' };
      const uncached = await Promise.all(queries.map((query) => search(it, query, bypass)));
      expect(
        uncached.map(({ found }) => found),
        `no-cache, round ${n}: ${shown}`,
      ).to.deep.equal(wantedNow());
      for (const [at, wanted] of wantedNow().entries()) {
        const knows = ({ found }: Answer) => JSON.stringify(found) === JSON.stringify(wanted);
        await expectSoon(it, queries[at] ?? '', knows, `round ${n}, ${queries[at]}: ${shown}`);
      }
    }
  });
});

function nameOf(line: string): string {
  return line.slice(0, line.lastIndexOf(' ')).split('/').at(-1) ?? '';
}

/** Returns `path bytes` of every entry below the root. */
function walk(root: string, below = ''): string[] {
  return readdirSync(join(root, below)).flatMap((name) => {
    const path = below === '' ? name : `${below}/${name}`;
    const stats = lstatSync(join(root, path));
    return stats.isDirectory() ? [`${path} `, ...walk(root, path)] : [`${path} ${stats.size}`];
  });
}

/** Applies a change; ignores one that the file system refuses. */
function change(root: string, step: { readonly do: string; readonly at: string; readonly to: string }): void {
  const at = join(root, step.at);
  try {
    if (step.do === 'write') appendFileSync(at, 'x');
    if (step.do === 'folder') mkdirSync(at);
    if (step.do === 'remove') rmSync(at, { recursive: true });
    if (step.do === 'move') renameSync(at, join(root, step.to));
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}
