/**
 * Measures the index of mserv2 alone, without files, threads and gRPC: `node --expose-gc test/bench/index.ts [files]`. The
 * default is 1,000,000 files in 20,000 folders. Each search runs seven times. `turn` is the longest time between two pauses,
 * in processor time, so that a busy machine does not distort it.
 */
import { performance } from 'node:perf_hooks';
import type { FolderNumber } from '../../mserv2/index/api.ts';
import { MemoryIndex } from '../../mserv2/index/memory-index.ts';
import { type Pace, search } from '../../mserv2/index/search.ts';
import type { SearchQuery } from '../../mserv2/index/search-api.ts';
import { readSnapshot } from '../../mserv2/index/snapshot-reader.ts';
import { writeSnapshot } from '../../mserv2/index/snapshot-writer.ts';
import { anything } from '../support/index/index-query.ts';
import { plantSyntheticTree } from './index-tree.ts';

const files = Number(process.argv[2] ?? 1e6);
const repetitions = 7;

function taken<Result>(work: () => Result): { readonly ms: number; readonly result: Result } {
  const began = performance.now();
  const result = work();
  return { ms: performance.now() - began, result };
}

function rounded(value: number): number {
  return Number(value.toFixed(1));
}

/** Returns this thread's processor time in milliseconds. */
function processorMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Pauses every 5 ms, as a service does, and records the longest time between pauses. */
class Turns implements Pace {
  longest = 0;
  #end = 0;
  #began = 0;

  begin(): void {
    this.#end = performance.now() + 5;
    this.#began = processorMs();
  }

  over(): boolean {
    return performance.now() > this.#end;
  }

  next(): Promise<void> {
    this.end();
    this.begin();
    return Promise.resolve();
  }

  end(): void {
    this.longest = Math.max(this.longest, processorMs() - this.#began);
  }
}

/** Runs all steps of a task; returns their total time and the longest step. */
function stepped(step: () => boolean): { readonly ms: number; readonly longest: number } {
  const began = performance.now();
  let longest = 0;
  for (let more = true; more; ) {
    const start = processorMs();
    more = step();
    longest = Math.max(longest, processorMs() - start);
  }
  return { ms: performance.now() - began, longest };
}

globalThis.gc?.();
const before = process.memoryUsage().rss;
const index = new MemoryIndex();
plantSyntheticTree(index, files);
globalThis.gc?.();
const resident = process.memoryUsage().rss - before;
console.log(`${index.entries} entries in ${index.folders} folders`);
console.table({
  'bytes per file, by its buffers': rounded(index.bytesUsed() / files),
  'bytes per file, by the process (resident)': rounded(resident / files),
});

const listings = Array.from({ length: index.folderLimit }, (_, folder: FolderNumber) =>
  index.children(folder).map((entry) => ({ name: index.nameOf(entry), kind: index.kindOf(entry) })),
);
const work: Record<string, { ms: number; 'longest step'?: number }> = {};
const copy = new MemoryIndex();
const put = taken(() => {
  for (const [folder, listing] of listings.entries()) {
    for (const { name, kind } of listing) copy.put(folder, name, kind);
  }
});
work['put all names'] = { ms: rounded(put.ms) };
const note = taken(() => {
  for (let folder = 0; folder < copy.folderLimit; folder++) {
    for (const entry of copy.children(folder)) copy.noteStats(entry, folder, 1.7e12 + folder, 123_456);
  }
});
work['note all stats'] = { ms: rounded(note.ms) };
const remove = taken(() => {
  for (let folder = 0; folder < copy.folderLimit; folder += 2) {
    for (const entry of copy.children(folder))
      if (copy.hasStats(entry) && copy.kindOf(entry) === 1) copy.remove(entry);
  }
});
work['remove half of the files'] = { ms: rounded(remove.ms) };
const clear = stepped(() => copy.maintain());
work['clear them away'] = { ms: rounded(clear.ms), 'longest step': rounded(clear.longest) };
const chunks: Buffer[] = [];
const writing = writeSnapshot(index, 'bench');
const write = stepped(() => {
  const { value, done } = writing.next();
  if (value) chunks.push(value);
  return !done;
});
work['write a snapshot'] = { ms: rounded(write.ms), 'longest step': rounded(write.longest) };
const load = taken(() => readSnapshot(chunks, 'bench'));
work['load a snapshot'] = { ms: rounded(load.ms) };
console.table(work);

const exact = { case: false, accents: false };
const queries: Record<string, Partial<SearchQuery>> = {
  'a rare name': { nombre: `_${(files - 7).toString(36)}.` },
  'no name': { nombre: 'zzzqqq' },
  'one in eight': { nombre: 'informe' },
  'one in eight, exact case and accents': { nombre: 'informe', folding: exact },
  'one letter': { nombre: 'a' },
  'two words, one excluded': { nombre: 'informe acta -pdf' },
  prefijo: { nombre: 'informe', mode: 'prefijo' },
  sufijo: { nombre: '.pdf', mode: 'sufijo' },
  exacto: { nombre: 'foto 77', mode: 'exacto' },
  'glob *.pdf': { nombre: '*.pdf', mode: 'glob' },
  'glob with braces': { nombre: '{informe,acta}*.{pdf,txt}', mode: 'glob' },
  'glob of paths': { nombre: '**/informe*', mode: 'glob', field: 'ruta' },
  'regex without a literal': { nombre: '[aeiou]{2}.*\\d{3}', mode: 'regex' },
  'regex that matches nearly all': { nombre: '^.{12,30}$', mode: 'regex' },
  'regex, exact case': { nombre: '^[A-Z].*\\d', mode: 'regex', folding: exact },
  'difuso, 3 letters': { nombre: 'inf', mode: 'difuso' },
  'difuso, 6 letters': { nombre: 'infpdf', mode: 'difuso' },
  'contiene in paths': { nombre: 'informe', field: 'ruta' },
  everything: {},
  'everything by name': { order: 'nombre' },
  'everything by path, last first': { order: 'ruta', descending: true },
  'everything by date': { order: 'modificado', descending: true },
  'large files': { minBytes: 9_900_000 },
  'by extension': { extensions: ['pdf', 'txt'] },
  'one letter, 10,000 of them': { nombre: 'a', limit: 10_000 },
};
const searches: Record<string, Record<string, number>> = {};
for (const [name, wish] of Object.entries(queries)) {
  const times: number[] = [];
  const turns = new Turns();
  let total = 0;
  for (let i = 0; i < repetitions; i++) {
    const began = performance.now();
    turns.begin();
    const query = { ...anything, hidden: false, limit: 100, ...wish };
    ({ total } = await search(index, query, turns));
    turns.end();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const median = times[repetitions >> 1] ?? 0;
  searches[name] = {
    total,
    'median ms': rounded(median),
    'best ms': rounded(times[0] ?? 0),
    'turn ms': rounded(turns.longest),
  };
}
console.table(searches);
