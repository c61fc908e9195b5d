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

/** Asks until the answer comes from the cache. */
async function cached(it: SetUp, query: string): Promise<void> {
  await eventually(async () => (await search(it, query)).servedBy === 'cache');
}

/** Asks until what is found is as it should be, out of the cache or not. */
async function expectSoon(it: SetUp, query: string, knows: (answer: Answer) => boolean, why?: string) {
  const end = await untilKnown(async () => {
    const answer = await search(it, query);
    return { fromCache: answer.servedBy === 'cache', knows: knows(answer) };
  });
  expect(end, why).to.equal('known');
}

describe('A search in the cache of the gateway', () => {
  it('is served until something changes in the tree, wherever that is; no-cache goes through', async () => {
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

  it('is not served once mserv2 is frozen, nor what was kept before it was started again', async () => {
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
    // What an index says that is still being built is not kept, either.
    await cached(it, 'nombre=uno');
    expect((await search(it, 'nombre=uno')).found).to.deep.equal(['uno 0']);
  });

  it('is never older than what has been told, whatever happens to the tree (against a walk)', async () => {
    await using it = await setUp({ running: ['mserv2', 'gateway'] });
    const words = ['', 'a', 'b', 'fichero'];
    const queries = words.map((word) => `limite=10000&orden=ruta&nombre=${word}`);
    const right = (): string[][] => {
      const all = walk(it.root).sort((one, other) => (one < other ? -1 : 1));
      return words.map((word) => all.filter((line) => nameOf(line).includes(word)));
    };
    const place = fc.constantFrom('a', 'b', 'a/a', 'a/b', 'a/b/fichero', 'b/fichero', 'fichero');
    const act = fc.record({
      do: fc.constantFrom('write', 'write', 'folder', 'folder', 'remove', 'move'),
      at: place,
      to: place,
    });
    const rounds = fc.sample(fc.array(act, { minLength: 1, maxLength: 20 }), 5);
    for (const [n, round] of rounds.entries()) {
      // All that is asked below is kept when the changes begin.
      for (const query of queries) await cached(it, query);
      for (const step of round) change(it.root, step);
      const shown = JSON.stringify(round);
      // Its answers must not take the places of those that are kept.
      const passing = { 'cache-control': 'no-cache, no-store' };
      const around = await Promise.all(queries.map((query) => search(it, query, passing)));
      expect(
        around.map(({ found }) => found),
        `no-cache, round ${n}: ${shown}`,
      ).to.deep.equal(right());
      for (const [at, wanted] of right().entries()) {
        const knows = ({ found }: Answer) => JSON.stringify(found) === JSON.stringify(wanted);
        await expectSoon(it, queries[at] ?? '', knows, `round ${n}, ${queries[at]}: ${shown}`);
      }
    }
  });
});

function nameOf(line: string): string {
  return line.slice(0, line.lastIndexOf(' ')).split('/').at(-1) ?? '';
}

/** `path bytes` of every entry. */
function walk(root: string, below = ''): string[] {
  return readdirSync(join(root, below)).flatMap((name) => {
    const path = below === '' ? name : `${below}/${name}`;
    const stats = lstatSync(join(root, path));
    return stats.isDirectory() ? [`${path} `, ...walk(root, path)] : [`${path} ${stats.size}`];
  });
}

/** What the system refuses does not happen. */
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
