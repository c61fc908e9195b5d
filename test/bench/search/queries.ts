import { setTimeout as delay } from 'node:timers/promises';
import { TemporaryFolder } from '../../support/files/temporary-folder.ts';
import { setUp } from '../../support/processes/set-up.ts';
import { median, percentile } from '../statistics.ts';
import { type Page, searchPath, TimedClient } from './client.ts';
import { runPeer, timePeer, updateDb } from './peers.ts';
import { millis, seconds, type TableRow, times } from './table.ts';

const repetitions = 31;
type Query = Readonly<Record<string, string>>;

const exactSpelling = { distinguir_mayusculas: 'true', distinguir_acentos: 'true' };
const oneLetter = { nombre: 'o' };
const withoutLiteral = { nombre: '[aeiou]{2}.*\\d{3}', modo: 'regex' };

/** Measures searches over HTTP when the index is `listo`, beside plocate and fdfind on the same tree. */
export async function queries(tree: string, files: number): Promise<TableRow[]> {
  using data = new TemporaryFolder();
  const database = data.join('plocate.db');
  await updateDb(tree, database);
  // The long deadline keeps slow searches from being queued.
  await using stack = await setUp({
    env: { FILES_ROOT: tree, GRPC_DEADLINE_MS: '10000', GATEWAY_CACHE_BYTES: '0' },
  });
  await stack.processes.get('mserv2')?.waitFor(({ estado }) => estado === 'listo');
  using client = new TimedClient(stack.url);
  const plocate = (...args: string[]) => peerMedian('plocate', ['-d', database, '-b', ...args]);
  return [
    await rareName(client, tree, files, plocate),
    await manyMatches(client, plocate),
    await insensitive(client),
    ...(await heavy(client)),
    await others(stack.url, files),
  ];
}

type Plocate = (...args: string[]) => Promise<{ readonly ms: number; readonly output: string }>;

async function rareName(
  client: TimedClient,
  tree: string,
  files: number,
  plocate: Plocate,
): Promise<TableRow> {
  const nombre = rare(files);
  // As the first query it is repeated more often, because V8 is still compiling in all three processes.
  const ours = await pageMedian(client, { nombre }, 151);
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

async function manyMatches(client: TimedClient, plocate: Plocate): Promise<TableRow> {
  const ours = await pageMedian(client, { nombre: 'informe', limite: '100' });
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

/** Compares folded and exact matching of a name with only one spelling, so that both have equal totals. */
async function insensitive(client: TimedClient): Promise<TableRow> {
  const folded = await pageMedian(client, { nombre: '.pdf' });
  const exact = await pageMedian(client, { nombre: '.pdf', ...exactSpelling });
  const { total } = folded.page;
  return {
    what: `case- and accent-insensitive (\`.pdf\`, ${total} matches), p50`,
    must: 'the same as exact case, ± 20 %',
    measured: `${millis(folded.ms)}; exact ${millis(exact.ms)}: ${times(folded.ms, exact.ms)}`,
    holds: total === exact.page.total && folded.ms <= 1.2 * exact.ms,
    numbers: { insensitive: folded.ms, exact: exact.ms },
  };
}

async function heavy(client: TimedClient): Promise<TableRow[]> {
  const letter = await pageMedian(client, oneLetter);
  const regex = await pageMedian(client, withoutLiteral, 5);
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
 * Measures a search and a listing every 10 ms each, while another client repeats the most expensive query. A first round is
 * not counted, because V8 is still compiling.
 */
async function others(url: string, files: number): Promise<TableRow> {
  await beside(url, files);
  const { heavyOnes, searching, listing } = await beside(url, files);
  const [search, list] = [percentile(searching, 0.99), percentile(listing, 0.99)];
  return {
    what: `other clients while such a query runs (${heavyOnes} of the regex, one after the other)`,
    must: 'p99 < 20 ms',
    measured: `${searching.length} searches for a rare name: p99 ${millis(search)}, p50 ${millis(median(searching))}; ${listing.length} listings: p99 ${millis(list)}`,
    holds: search < 20 && list < 20,
    numbers: { searchP99: search, searchP50: median(searching), listP99: list },
  };
}

/** Runs the three clients for ten seconds. */
async function beside(url: string, files: number) {
  const until = performance.now() + 10_000;
  let heavyOnes = 0;
  const repeatHeavy = async (query: Query): Promise<void> => {
    using client = new TimedClient(url);
    for (; performance.now() < until; heavyOnes++) await client.page(query);
  };
  const repeatLight = async (path: string): Promise<number[]> => {
    using client = new TimedClient(url);
    const taken: number[] = [];
    while (performance.now() < until) {
      taken.push((await client.timed(path)).ms);
      await delay(10);
    }
    return taken;
  };
  const [, searching, listing] = await Promise.all([
    repeatHeavy(withoutLiteral),
    repeatLight(searchPath({ nombre: rare(files) })),
    repeatLight('/listar_archivos?limite=50'),
  ]);
  return { heavyOnes, searching, listing };
}

/** Returns a part of a name that only one file has. */
function rare(files: number): string {
  return `_${(files - 7).toString(36)}.`;
}

async function pageMedian(
  client: TimedClient,
  query: Query,
  count = repetitions,
): Promise<{ readonly ms: number; readonly page: Page }> {
  let page = await client.page(query);
  const taken: number[] = [];
  for (let i = 0; i < count; i++) {
    const answer = await client.page(query);
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
