import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import { directAnswers, inParallel, read, settle } from './asking.ts';
import type { Figures, Violations } from './findings.ts';
import { type Asked, readJournal } from './journal.ts';
import { stopWithEmptyQueues } from './queues.ts';
import type { Expectations, Stage } from './scenario.ts';
import { programOf } from './wiring.ts';
import type { World } from './world.ts';

/** Milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Course {
  /** When requests may have been refused, because the ledger could not be written. */
  readonly refusable: readonly Span[];
  /** From the end of the fault until all that had been accepted before it was closed; the longest, of several. */
  readonly recoverySeconds: number;
}

/** How much longer than usual the answers of many are waited for, each. */
const perAnswerMs = 5;
const memoryLimit = 400 * 2 ** 20;
export const defaultRecoverySeconds = 15;

/**
 * Compares what the client was promised, by its journal, with what it gets: waits for every answer, reads it again,
 * compares it with the direct call, and then looks at the queues and, the gateways stopped, at the ledger's storage.
 */
export async function verify(
  { world, load, violations, patienceMs }: Stage,
  course: Course,
  expectations: Expectations,
): Promise<Figures> {
  const { recoverySeconds: bound = defaultRecoverySeconds, ends = {} } = expectations;
  const asked = readJournal(load.journal);
  const promised = asked.filter(({ told }) => told?.status === 202);
  const ids = new Map(promised.map((one) => [one.told?.id ?? '', one]));
  checkIds(promised, violations);

  const settled = new Map<string, Answer>();
  const until = Date.now() + patienceMs + ids.size * perAnswerMs;
  await inParallel([...ids.keys()], async (id) => {
    const answer = await settle(world, id, until, violations);
    if (answer !== undefined) settled.set(id, answer);
  });
  if (course.recoverySeconds > bound) {
    violations.add('slow recovery', `${course.recoverySeconds.toFixed(1)} s, ${bound} are allowed`);
  }

  const paths = [...new Set(asked.map(({ path }) => path))].filter((path) => ends[path] === undefined);
  const direct = await directAnswers(world, paths, patienceMs);
  for (const [id, { path }] of ids)
    checkAnswer(id, path, settled.get(id), direct.get(path), ends, violations);
  checkTold(asked, direct, course.refusable, violations);
  await inParallel([...settled], async ([id, answer]) => {
    const again = await read(world, id);
    if (again?.digest !== answer.digest) violations.add('answer changed', `second read of ${id}`);
  });
  // Those that were committed for a client who was not told any more are answered too.
  if (violations.count('not answered') === 0) await untilNothingIsOpen(world, patienceMs);
  const left = world.hasBroker ? await stopWithEmptyQueues(world) : '';
  if (left !== '') violations.add('queue not empty', left);
  for (const name of world.running.filter((one) => programOf(one) === 'gateway')) await world.stop(name);
  const republished = await checkLedger(world, ids, settled, violations);
  await Promise.all(world.running.map((name) => world.stop(name)));
  checkProcesses(world, violations);

  const count = (fits: (one: Asked) => boolean): number => asked.filter(fits).length;
  return {
    sent: asked.length,
    direct: count(({ told }) => told !== undefined && told.status !== 202 && told.status < 500),
    accepted: promised.length,
    answered: promised.filter(({ told }) => settled.has(told?.id ?? '')).length,
    lost: promised.filter(({ told }) => !settled.has(told?.id ?? '')).length,
    duplicates: violations.count('two ends') + violations.count('answer changed'),
    refused: count(({ told }) => told !== undefined && told.status >= 500),
    unheard: count(({ told }) => told === undefined),
    republished,
    recoverySeconds: course.recoverySeconds,
    peakMegabytes: Object.fromEntries(
      [...world.peakMemory].map(([name, bytes]) => [name, Math.round(bytes / 2 ** 20)]),
    ),
  };
}

/** A request without a key has an id of its own; those with the same key have the same. */
function checkIds(promised: readonly Asked[], violations: Violations): void {
  const askedWith = new Map<string, string>();
  const idOfKey = new Map<string, string>();
  for (const { n, key, told } of promised) {
    const id = told?.id ?? '';
    const by = key ?? `request ${n}`;
    const other = askedWith.get(id);
    if (other !== undefined && other !== by)
      violations.add('two ends', `${other} and ${by} were given ${id}`);
    askedWith.set(id, by);
    if (key === undefined) continue;
    const before = idOfKey.get(key) ?? id;
    if (before !== id) violations.add('two ends', `key ${key} was given ${before} and ${id}`);
    idOfKey.set(key, before);
  }
}

function checkAnswer(
  id: string,
  path: string,
  answer: Answer | undefined,
  direct: Answer | undefined,
  ends: NonNullable<Expectations['ends']>,
  violations: Violations,
): void {
  if (answer === undefined) return;
  const wanted = ends[path];
  if (wanted !== undefined && answer.status !== wanted) {
    violations.add('ended badly', `${path} has ${answer.status} instead of ${wanted} (${id})`);
  } else if (wanted === undefined && answer.digest !== direct?.digest) {
    const kind = [410, 502, 504].includes(answer.status) ? 'ended badly' : 'identity';
    violations.add(kind, `${path}: ${describe(answer)} instead of ${describe(direct)} (${id})`);
  }
}

/** What the client was told at once. */
function checkTold(
  asked: readonly Asked[],
  direct: ReadonlyMap<string, Answer>,
  refusable: readonly Span[],
  violations: Violations,
): void {
  for (const { told, path, sentAt } of asked) {
    if (told === undefined || told.status === 202) continue;
    const mayRefuse = refusable.some(({ from, to }) => sentAt <= to && told.at >= from);
    if (told.status === 503 && mayRefuse) {
      if (told.retryAfter === undefined) violations.add('refused', `${path}: 503 without Retry-After`);
    } else if (told.status >= 500) {
      violations.add('refused', `${path}: ${told.status}`);
    } else if (direct.has(path) && told.digest !== direct.get(path)?.digest && !isIndexed(path)) {
      violations.add('identity', `${path}: told ${told.status}, another answer than the direct one`);
    }
  }
}

/** A direct search may be answered by an index that is not whole yet, and says so. */
function isIndexed(path: string): boolean {
  return path.includes('/buscar_archivos');
}

async function untilNothingIsOpen({ evidence }: World, patienceMs: number): Promise<void> {
  const until = Date.now() + patienceMs;
  while ((await evidence.open()) !== 0 && Date.now() < until) await delay(100);
}

/** Reads what the stopped gateways have left; gives how many publishes were repetitions. */
async function checkLedger(
  world: World,
  ids: ReadonlyMap<string, Asked>,
  settled: ReadonlyMap<string, Answer>,
  violations: Violations,
): Promise<number> {
  const { integrity, rows } = await world.evidence.all();
  if (integrity !== 'ok') violations.add('ledger', integrity);
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const row of rows) {
    if (row.ends > 1) violations.add('two ends', `row ${row.id} (${row.state})`);
    // Of those that were promised it is known already.
    if (row.ends === 0 && !ids.has(row.id)) violations.add('not answered', `row ${row.id} (${row.state})`);
    if (row.state === 'completada' && row.body === undefined)
      violations.add('ledger', `${row.id} has no answer`);
  }
  for (const [id, answer] of settled) {
    const row = byId.get(id);
    if (row === undefined) violations.add('ledger', `${id} is not in it`);
    else if (row.body !== undefined && !row.body.equals(answer.body)) violations.add('answer changed', id);
  }
  return rows.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
}

function checkProcesses(world: World, violations: Violations): void {
  for (const mishap of world.mishaps) violations.add('mishap', mishap);
  for (const [program, bytes] of world.peakMemory) {
    if (bytes > memoryLimit) violations.add('memory', `${program}: ${Math.round(bytes / 2 ** 20)} MiB`);
  }
}

function describe(answer: Answer | undefined): string {
  return answer === undefined ? 'nothing' : `${answer.status} ${answer.body.toString().slice(0, 160)}`;
}
