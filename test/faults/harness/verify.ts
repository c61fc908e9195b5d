import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import { awaitStored, directAnswers, inParallel, readStored } from './client.ts';
import type { Deployment } from './deployment.ts';
import { type JournaledRequest, readJournal } from './journal.ts';
import { stopWithEmptyQueues } from './queues.ts';
import type { Expectations, FaultContext } from './scenario.ts';
import type { Figures, Violations } from './violations.ts';
import { programOf } from './wiring.ts';

/** A time span in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface FaultOutcome {
  /** Spans in which requests may be refused, because the ledger could not be written. */
  readonly refusable: readonly Span[];
  /** Time from the repair until all requests accepted before it were closed; the longest of several. */
  readonly recoverySeconds: number;
}

/** Additional time to wait for each promised answer. */
const perAnswerMs = 5;
const memoryLimit = 400 * 2 ** 20;
export const defaultRecoverySeconds = 15;

/**
 * Compares the promises in the client's journal with its answers. Waits for every answer, reads it twice, compares it
 * with the direct answer, then checks the queues and, after the gateways' stop, the ledger's storage.
 */
export async function verify(
  { deployment, load, violations, patienceMs }: FaultContext,
  outcome: FaultOutcome,
  expectations: Expectations,
): Promise<Figures> {
  const { recoverySeconds: bound = defaultRecoverySeconds, ends = {} } = expectations;
  const requests = readJournal(load.journal);
  const promised = requests.filter(({ response }) => response?.status === 202);
  const ids = new Map(promised.map((one) => [one.response?.id ?? '', one]));
  checkIds(promised, violations);

  const settled = new Map<string, Answer>();
  const until = Date.now() + patienceMs + ids.size * perAnswerMs;
  await inParallel([...ids.keys()], async (id) => {
    const answer = await awaitStored(deployment, id, until, violations);
    if (answer !== undefined) settled.set(id, answer);
  });
  if (outcome.recoverySeconds > bound) {
    violations.add(
      'slow recovery',
      `${outcome.recoverySeconds.toFixed(1)} s; at most ${bound} s are allowed`,
    );
  }

  const paths = [...new Set(requests.map(({ path }) => path))].filter((path) => ends[path] === undefined);
  const direct = await directAnswers(deployment, paths, patienceMs);
  for (const [id, { path }] of ids)
    checkAnswer(id, path, settled.get(id), direct.get(path), ends, violations);
  checkResponses(requests, direct, outcome.refusable, violations);
  await inParallel([...settled], async ([id, answer]) => {
    const again = await readStored(deployment, id);
    if (again?.digest !== answer.digest) violations.add('answer changed', `second reading of ${id}`);
  });
  // Requests committed without their client getting the 202 must be answered too.
  if (violations.count('not answered') === 0) await untilNoneIsOpen(deployment, patienceMs);
  const left = deployment.hasBroker ? await stopWithEmptyQueues(deployment) : '';
  if (left !== '') violations.add('queue not empty', left);
  for (const name of deployment.running.filter((one) => programOf(one) === 'gateway'))
    await deployment.stop(name);
  const republished = await checkLedger(deployment, ids, settled, violations);
  await Promise.all(deployment.running.map((name) => deployment.stop(name)));
  checkProcesses(deployment, violations);

  const count = (fits: (one: JournaledRequest) => boolean): number => requests.filter(fits).length;
  return {
    sent: requests.length,
    direct: count(
      ({ response }) => response !== undefined && response.status !== 202 && response.status < 500,
    ),
    accepted: promised.length,
    answered: promised.filter(({ response }) => settled.has(response?.id ?? '')).length,
    lost: promised.filter(({ response }) => !settled.has(response?.id ?? '')).length,
    duplicates: violations.count('closed twice') + violations.count('answer changed'),
    refused: count(({ response }) => response !== undefined && response.status >= 500),
    unanswered: count(({ response }) => response === undefined),
    republished,
    recoverySeconds: outcome.recoverySeconds,
    peakMegabytes: Object.fromEntries(
      [...deployment.peakMemory].map(([name, bytes]) => [name, Math.round(bytes / 2 ** 20)]),
    ),
  };
}

/** Checks that requests with one key share an id, and that all others have different ids. */
function checkIds(promised: readonly JournaledRequest[], violations: Violations): void {
  const sourceOfId = new Map<string, string>();
  const idOfKey = new Map<string, string>();
  for (const { n, key, response } of promised) {
    const id = response?.id ?? '';
    const source = key ?? `request ${n}`;
    const other = sourceOfId.get(id);
    if (other !== undefined && other !== source)
      violations.add('closed twice', `${other} and ${source} share the id ${id}`);
    sourceOfId.set(id, source);
    if (key === undefined) continue;
    const before = idOfKey.get(key) ?? id;
    if (before !== id) violations.add('closed twice', `key ${key} has the ids ${before} and ${id}`);
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
    violations.add('wrong status', `${path} has ${answer.status} instead of ${wanted} (${id})`);
  } else if (wanted === undefined && answer.digest !== direct?.digest) {
    const kind = [410, 502, 504].includes(answer.status) ? 'wrong status' : 'identity';
    violations.add(kind, `${path}: ${describe(answer)} instead of ${describe(direct)} (${id})`);
  }
}

/** Checks the responses that were not 202. */
function checkResponses(
  requests: readonly JournaledRequest[],
  direct: ReadonlyMap<string, Answer>,
  refusable: readonly Span[],
  violations: Violations,
): void {
  for (const { response, path, sentAt } of requests) {
    if (response === undefined || response.status === 202) continue;
    const mayRefuse = refusable.some(({ from, to }) => sentAt <= to && response.at >= from);
    if (response.status === 503 && mayRefuse) {
      if (response.retryAfter === undefined) violations.add('refused', `${path}: 503 without Retry-After`);
    } else if (response.status >= 500) {
      violations.add('refused', `${path}: ${response.status}`);
    } else if (direct.has(path) && response.digest !== direct.get(path)?.digest && !isIndexed(path)) {
      violations.add('identity', `${path}: ${response.status}, but not equal to the later direct answer`);
    }
  }
}

/** Whether a path is a search: an index still being built answers with fewer entries and marks the answer. */
function isIndexed(path: string): boolean {
  return path.includes('/buscar_archivos');
}

async function untilNoneIsOpen({ ledgerReader }: Deployment, patienceMs: number): Promise<void> {
  const until = Date.now() + patienceMs;
  while ((await ledgerReader.open()) !== 0 && Date.now() < until) await delay(100);
}

/** Checks the storage that the stopped gateways left; returns the number of repeated publishes. */
async function checkLedger(
  deployment: Deployment,
  ids: ReadonlyMap<string, JournaledRequest>,
  settled: ReadonlyMap<string, Answer>,
  violations: Violations,
): Promise<number> {
  const { integrity, rows } = await deployment.ledgerReader.all();
  if (integrity !== 'ok') violations.add('ledger', integrity);
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const row of rows) {
    if (row.ends > 1) violations.add('closed twice', `row ${row.id} (${row.state})`);
    // Promised requests were already checked over HTTP.
    if (row.ends === 0 && !ids.has(row.id)) violations.add('not answered', `row ${row.id} (${row.state})`);
    if (row.state === 'completada' && row.body === undefined)
      violations.add('ledger', `${row.id} has no answer`);
  }
  for (const [id, answer] of settled) {
    const row = byId.get(id);
    if (row === undefined) violations.add('ledger', `${id} is not in the ledger`);
    else if (row.body !== undefined && !row.body.equals(answer.body)) violations.add('answer changed', id);
  }
  return rows.reduce((sum, { attempts }) => sum + Math.max(0, attempts - 1), 0);
}

function checkProcesses(deployment: Deployment, violations: Violations): void {
  for (const exit of deployment.unexpectedExits) violations.add('unexpected exit', exit);
  for (const [program, bytes] of deployment.peakMemory) {
    if (bytes > memoryLimit) violations.add('memory', `${program}: ${Math.round(bytes / 2 ** 20)} MiB`);
  }
}

function describe(answer: Answer | undefined): string {
  return answer === undefined ? 'no answer' : `${answer.status} ${answer.body.toString().slice(0, 160)}`;
}
