/**
 * Measures the gateway and its peers side by side in one run: `npm run bench -- [options]`
 *
 *   --rows cached,koa,…   measures only these rows (`--rows help` lists them)
 *   --sizes 20,1000       only these numbers of entries
 *   --connections 32      only these numbers of connections
 *   --rounds 3            interleaved runs of each cell with 32 connections; other cells have one
 *   --seconds 1           length of a run
 *   --idle 3              measured starts of the gateway; 0 for none
 *   --save                writes the result to docs/: performance.json, the chart, and the table in performance.md
 */
import { existsSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { save } from './gateway/documents.ts';
import { measureIdle } from './gateway/idle.ts';
import { type Sample, untilIdle } from './gateway/load.ts';
import { figuresOf, type Measured, mainConnections, markdown, type Report } from './gateway/report.ts';
import { type Cell, type Row, rows } from './gateway/rows.ts';
import { Servers } from './gateway/servers.ts';
import { makeFolders, sizes } from './gateway/tree.ts';
import { median } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: rows.map((row) => row.key).join(',') },
    sizes: { type: 'string', default: sizes.join(',') },
    connections: { type: 'string', default: `1,${mainConnections},256` },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1' },
    idle: { type: 'string', default: '3' },
    save: { type: 'boolean', default: false },
  },
});
const listed = (text: string) => text.split(',');
const wanted = rows.filter((row) => listed(options.rows).includes(row.key));
if (wanted.length === 0) {
  console.log(rows.map(({ key, name }) => `${key.padEnd(12)} ${name}`).join('\n'));
  process.exit();
}
const seconds = Number(options.seconds);
const cells = sizes
  .filter((size) => listed(options.sizes).includes(String(size)))
  .flatMap((size) => listed(options.connections).map((count) => ({ size, connections: Number(count) })));

const lacking = new Map(wanted.map((row) => [row.key, missingPackages(row)]));
const packages = [...new Set([...lacking.values()].flat())];
if (packages.length > 0) console.error(`To measure all rows: apt-get install ${packages.join(' ')}`);

/** Aborted by SIGINT or SIGTERM: the run then stops its servers and prints its results so far. */
const end = new AbortController();
const { signal: ending } = end;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort());

const samples = new Map<string, Sample[]>();
using folder = new TemporaryFolder();
const root = folder.join('root');
makeFolders(root);
const servers = new Servers(folder.path, root);
try {
  const open = new Map<Row, Awaited<ReturnType<Row['open']>>>();
  for (const row of wanted) {
    if (lacking.get(row.key)?.length) continue;
    open.set(row, await row.open(servers));
  }
  const measure = async (row: Row, cell: Cell): Promise<Sample | undefined> => {
    const run = open.get(row);
    if (run === undefined || row.cells?.(cell) === false) return undefined;
    await untilIdle();
    if (ending.aborted) return undefined;
    return run(cell, seconds);
  };
  // One unmeasured run lets V8 compile.
  for (const row of wanted) await measure(row, { size: 20, connections: mainConnections });
  for (const { cell, order } of steps()) {
    for (const row of order) {
      if (ending.aborted) break;
      const sample = await measure(row, cell);
      if (sample !== undefined) collected(row, cell).push(sample);
    }
  }
} finally {
  await servers.stop();
}

const measured: Measured[] = wanted.flatMap((row) =>
  cells.flatMap((cell) => {
    const runs = collected(row, cell);
    if (runs.length === 0) return [];
    const middle = (of: (sample: Sample) => number | undefined) => median(runs.map((run) => of(run) ?? 0));
    const { p50Ms } = runs[0] ?? {};
    const latency =
      p50Ms === undefined ? {} : { p50Ms: middle((s) => s.p50Ms), p99Ms: middle((s) => s.p99Ms) };
    return [{ row: row.key, ...cell, runs: runs.length, perSecond: middle((s) => s.perSecond), ...latency }];
  }),
);
const names = new Map(rows.map(({ key, name }) => [key, name]));
const report: Report = {
  when: new Date().toISOString().slice(0, 10),
  machine: `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`,
  secondsPerRun: seconds,
  rows: wanted.map(({ key, name }) => {
    const missing = lacking.get(key)?.join(' ') ?? '';
    return missing === '' ? { key, name } : { key, name, missing };
  }),
  measured,
  figures: figuresOf(measured, (key) => names.get(key) ?? key),
  idle: Number(options.idle) > 0 && !ending.aborted ? await measureIdle(Number(options.idle)) : undefined,
};
console.log(markdown(report));
if (options.save) save(report);

/** Yields the measurements, those of the ratios first. The order alternates, so that no row always follows the same one. */
function* steps(): Generator<{ readonly cell: Cell; readonly order: readonly Row[] }> {
  const [main, others] = [true, false].map((is) =>
    cells.filter((cell) => (cell.connections === mainConnections) === is),
  );
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const cell of main ?? []) yield { cell, order: round % 2 === 0 ? wanted : wanted.toReversed() };
  }
  for (const cell of others ?? []) yield { cell, order: wanted };
}

function missingPackages({ needs }: Row): string[] {
  return Object.entries(needs).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
}

function collected(row: Row, { size, connections }: Cell): Sample[] {
  const key = `${row.key} ${size} ${connections}`;
  const list = samples.get(key) ?? [];
  samples.set(key, list);
  return list;
}
