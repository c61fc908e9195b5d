import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { type LogLine, type Proc, spawnProcess, startProcess } from '../../support/processes/processes.ts';
import { setUp } from '../../support/processes/set-up.ts';
import { median, percentile } from '../statistics.ts';
import { type Page, searchPath, TimedClient } from './client.ts';
import { residentAtRest } from './memory.ts';
import { timePeer } from './peers.ts';
import { millis, seconds, type TableRow, times } from './table.ts';
import { entriesBelow } from './tree.ts';

const rounds = 3;

/** Measures mserv2 from its start to `listo`, beside fdfind and find on the same tree. */
export async function build(tree: string, files: number): Promise<TableRow[]> {
  const fdfind: number[] = [];
  const find: number[] = [];
  const named: number[] = [];
  const ready: number[] = [];
  const full: number[] = [];
  const empty: number[] = [];
  for (let round = 0; round < rounds; round++) {
    fdfind.push(await timePeer('fdfind', ['-u', '.', tree]));
    find.push(await timePeer('find', [tree, '-printf', '%s %T@\\n']));
    const began = performance.now();
    const proc = spawnProcess('mserv2/main.ts', { MSERV2_ROOT: tree });
    try {
      const names = await timeOf(proc, began, ({ msg }) => msg === 'all names are known');
      const listo = await timeOf(proc, began, ({ estado }) => estado === 'listo');
      if (names.line['entries'] !== entriesBelow(files)) throw new Error('Names were missing');
      named.push(names.ms);
      ready.push(listo.ms);
      full.push(await residentAtRest(proc.pid));
    } finally {
      await proc.stop();
    }
    // Measured in each round, because it varies by 18 MB with the memory that V8 has freed.
    empty.push(await emptyMserv2());
  }
  const resident = median(full);
  const perFile = (resident - median(empty)) / files;
  const [fd, fi, na, re] = [median(fdfind), median(find), median(named), median(ready)];
  return [
    await answersMeanwhile(tree),
    {
      what: 'names complete, cold',
      must: '≤ 1.5 × `fdfind -u .`',
      measured: `${seconds(na)}; fdfind ${seconds(fd)}: ${times(na, fd)}`,
      holds: na <= 1.5 * fd,
      numbers: { names: na, fdfind: fd },
    },
    {
      what: '`listo`, cold (sizes and dates too)',
      must: "≤ 2 × `find -printf '%s %T@\\n'`",
      measured: `${seconds(re)}; find ${seconds(fi)}: ${times(re, fi)}`,
      holds: re <= 2 * fi,
      numbers: { listo: re, find: fi },
    },
    {
      what: 'memory of mserv2 over an empty one, watches in this process included',
      must: '≤ 120 bytes per file',
      measured: `${perFile.toFixed(1)} bytes per file`,
      holds: perFile <= 120,
      numbers: { residentBytes: resident, bytesPerFile: perFile },
    },
  ];
}

async function timeOf(
  proc: Proc,
  began: number,
  fits: (line: LogLine) => boolean,
): Promise<{ readonly ms: number; readonly line: LogLine }> {
  const line = await proc.waitFor(fits);
  return { ms: performance.now() - began, line };
}

async function emptyMserv2(): Promise<number> {
  using empty = new TemporaryFolder();
  const proc = await startProcess('mserv2/main.ts', { MSERV2_ROOT: empty.path });
  try {
    return await residentAtRest(proc.pid);
  } finally {
    await proc.stop();
  }
}

/** Repeats a search over HTTP from the start of mserv2 until its index is `listo`. */
async function answersMeanwhile(tree: string): Promise<TableRow> {
  await using stack = await setUp({ env: { FILES_ROOT: tree }, running: ['gateway'] });
  using client = new TimedClient(stack.url);
  const path = searchPath({ nombre: 'informe', limite: '10' });
  const starting = stack.start('mserv2');
  const taken: number[] = [];
  let marked = true;
  for (;;) {
    const { ms, status, body } = await client.timed(path);
    // mserv2 cannot be reached yet.
    if (status === 202) continue;
    const { indice, completo } = JSON.parse(body.toString()) as Page;
    if (indice.estado === 'listo') break;
    taken.push(ms);
    if (indice.estado !== 'construyendo' || completo) marked = false;
  }
  await starting;
  const [first = Number.NaN] = taken;
  const worst = percentile(taken, 1);
  return {
    what: 'answers while it builds (`nombre=informe`, one after the other)',
    must: 'at once (100 ms), `construyendo`, `completo: false`',
    measured: `${taken.length} answers, ${marked ? 'all' : 'not all'} saying so: first ${millis(first)}, p50 ${millis(median(taken))}, slowest ${millis(worst)}`,
    holds: marked && taken.length > 0 && first <= 100 && worst <= 100,
    numbers: { answers: taken.length, first, p50: median(taken), slowest: worst },
  };
}
