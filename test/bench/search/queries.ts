import { setTimeout as delay } from 'node:timers/promises';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { setUp } from '../../support/processes/set-up.ts';
import { Caller, type Page, searchPath } from './client.ts';
import { runPeer, timePeer, updateDb } from './peers.ts';
import { median, millis, percentile, type Row, seconds, times } from './table.ts';

const repetitions = 31;
type Query = Readonly<Record<string, string>>;

const exactSpelling = { distinguir_mayusculas: 'true', distinguir_acentos: 'true' };
const oneLetter = { nombre: 'o' };
const withoutLiteral = { nombre: '[aeiou]{2}.*\\d{3}', modo: 'regex' };

/** An index that is `listo`, asked by HTTP; beside it those who answer the same questions from the same tree. */
export async function queries(tree: string, files: number): Promise<Row[]> {
  using data = new TemporaryFolder();
  const database = data.join('plocate.db');
  await updateDb(tree, database);
  // Nothing is to be queued here, however long it takes beside others.
  await using stack = await setUp({
    env: { FILES_ROOT: tree, GRPC_DEADLINE_MS: '10000', GATEWAY_CACHE_BYTES: '0' },
  });
  await stack.processes.get('mserv2')?.waitFor(({ estado }) => estado === 'listo');
  using caller = new Caller(stack.url);
  const plocate = (...args: string[]) => peerMedian('plocate', ['-d', database, '-b', ...args]);
  return [
    await rareName(caller, tree, files, plocate),
    await manyMatches(caller, plocate),
    await insensitive(caller),
    ...(await heavy(caller)),
    await others(stack.url, files),
  ];
}

type Plocate = (...args: string[]) => Promise<{ readonly ms: number; readonly output: string }>;

async function rareName(caller: Caller, tree: string, files: number, plocate: Plocate): Promise<Row> {
  const nombre = rare(files);
  // The first thing that is asked: what is asked a few times only is measured while V8 still compiles all three processes.
  const ours = await pageMedian(caller, { nombre }, 151);
  const theirs = await plocate('-i', nombre);
  const fd: number[] = [];
  for (let i = 0; i < 3; i++) fd.push(await timePeer('fdfind', ['-u', '-F', nombre, tree]));
  const fdfind = median(fd);
  const found = Buffer.from(`${tree}/${ours.page.archivos[0]?.ruta}`).toString('latin1');
  const agree = theirs.output.trim() === found;
  return {
    what: `rare name (\`${nombre}\`), over HTTP, p50`,
    must: '≤ 10 ms, ≤ 3 × a `plocate` process, ≥ 50 × faster than `fdfind`',
    measured: `${millis(ours.ms)}; plocate ${millis(theirs.ms)}: ${times(ours.ms, theirs.ms)}; fdfind ${seconds(fdfind)}: ${times(fdfind, ours.ms)} faster`,
    holds: agree && ours.ms <= 10 && ours.ms <= 3 * theirs.ms && fdfind >= 50 * ours.ms,
    numbers: { ours: ours.ms, plocate: theirs.ms, fdfind },
  };
}

async function manyMatches(caller: Caller, plocate: Plocate): Promise<Row> {
  const ours = await pageMedian(caller, { nombre: 'informe', limite: '100' });
  const theirs = await plocate('-c', '-i', 'informe');
  const exact = await plocate('-c', 'informe');
  const agree = Number(theirs.output) === ours.page.total;
  return {
    what: `${ours.page.total} matches (\`informe\`), total exact, first 100 returned, over HTTP, p50`,
    must: '≤ 30 ms, ≥ 5 × faster than `plocate -c`',
    measured: `${millis(ours.ms)}${agree ? '' : `, but plocate counts ${theirs.output.trim()}`}; plocate -c -i ${millis(theirs.ms)}: ${times(theirs.ms, ours.ms)} faster; plocate -c, exact case, ${millis(exact.ms)}: ${times(exact.ms, ours.ms)} faster`,
    holds: agree && ours.page.archivos.length === 100 && ours.ms <= 30 && exact.ms >= 5 * ours.ms,
    numbers: { ours: ours.ms, plocate: theirs.ms, plocateExact: exact.ms },
  };
}

/** A name that is spelled in one way only, so that both find the same. */
async function insensitive(caller: Caller): Promise<Row> {
  const folded = await pageMedian(caller, { nombre: '.pdf' });
  const exact = await pageMedian(caller, { nombre: '.pdf', ...exactSpelling });
  const { total } = folded.page;
  return {
    what: `case- and accent-insensitive (\`.pdf\`, ${total} matches), p50`,
    must: 'the same as exact case, ± 20 %',
    measured: `${millis(folded.ms)}; exact ${millis(exact.ms)}: ${times(folded.ms, exact.ms)}`,
    holds: total === exact.page.total && folded.ms <= 1.2 * exact.ms,
    numbers: { insensitive: folded.ms, exact: exact.ms },
  };
}

async function heavy(caller: Caller): Promise<Row[]> {
  const letter = await pageMedian(caller, oneLetter);
  const regex = await pageMedian(caller, withoutLiteral, 5);
  return [
    {
      what: `one letter (\`${oneLetter.nombre}\`, ${letter.page.total} matches), p50`,
      must: '≤ 120 ms',
      measured: millis(letter.ms),
      holds: letter.ms <= 120,
      numbers: { ours: letter.ms },
    },
    {
      what: `a regex without a literal (\`${withoutLiteral.nombre}\`, ${regex.page.total} matches), p50`,
      must: '≤ 2 s',
      measured: seconds(regex.ms),
      holds: regex.ms <= 2000,
      numbers: { ours: regex.ms },
    },
  ];
}

/**
 * Two others, one who searches and one who lists, every 10 ms, while a third asks for the dearest thing without pause. A first
 * round is not counted: in it the processes are still compiling what they run at the same time here for the first time.
 */
async function others(url: string, files: number): Promise<Row> {
  await beside(url, files);
  const { heavyOnes, searching, listing } = await beside(url, files);
  const [search, list] = [percentile(searching, 0.99), percentile(listing, 0.99)];
  return {
    what: `other callers while such a query runs (${heavyOnes} of the regex, one after the other)`,
    must: 'p99 < 20 ms',
    measured: `${searching.length} searches for a rare name: p99 ${millis(search)}, p50 ${millis(median(searching))}; ${listing.length} listings: p99 ${millis(list)}`,
    holds: search < 20 && list < 20,
    numbers: { searchP99: search, searchP50: median(searching), listP99: list },
  };
}

/** Ten seconds of it. */
async function beside(url: string, files: number) {
  const until = performance.now() + 10_000;
  let heavyOnes = 0;
  const burden = async (query: Query): Promise<void> => {
    using caller = new Caller(url);
    for (; performance.now() < until; heavyOnes++) await caller.page(query);
  };
  const light = async (path: string): Promise<number[]> => {
    using caller = new Caller(url);
    const taken: number[] = [];
    while (performance.now() < until) {
      taken.push((await caller.timed(path)).ms);
      await delay(10);
    }
    return taken;
  };
  const [, searching, listing] = await Promise.all([
    burden(withoutLiteral),
    light(searchPath({ nombre: rare(files) })),
    light('/listar_archivos?limite=50'),
  ]);
  return { heavyOnes, searching, listing };
}

/** A piece of a name that only one file has. */
function rare(files: number): string {
  return `_${(files - 7).toString(36)}.`;
}

async function pageMedian(
  caller: Caller,
  query: Query,
  count = repetitions,
): Promise<{ readonly ms: number; readonly page: Page }> {
  let page = await caller.page(query);
  const taken: number[] = [];
  for (let i = 0; i < count; i++) {
    const answer = await caller.page(query);
    taken.push(answer.ms);
    page = answer;
  }
  return { ms: median(taken), page };
}

async function peerMedian(command: string, args: readonly string[]) {
  const taken: number[] = [];
  let { output } = await runPeer(command, args);
  for (let i = 0; i < 11; i++) {
    const run = await runPeer(command, args);
    taken.push(run.ms);
    output = run.output;
  }
  return { ms: median(taken), output };
}
