import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, readAnswer } from './answer.ts';
import type { Figures, Violations } from './findings.ts';
import { type Asked, readJournal } from './journal.ts';
import type { Expectations } from './scenario.ts';
import type { World } from './world.ts';

export interface Times {
  readonly faultAt: number;
  readonly healedAt: number;
  /** From the end of the fault until all that had been accepted before it was closed. */
  readonly recoverySeconds: number;
}

/** How long an answer is waited for before it is called lost. */
const patienceMs = 45_000;
/** And this much more for each of many. */
const perAnswerMs = 5;
const memoryLimit = 400 * 2 ** 20;
const atOnce = 24;

/**
 * Compares what the client was promised, by its journal, with what it gets: waits for every answer, reads it again,
 * compares it with the direct call, and then looks at the queues and, the gateway stopped, at the ledger's file.
 */
export async function verify(
  world: World,
  journal: string,
  times: Times,
  expectations: Expectations,
  violations: Violations,
): Promise<Figures> {
  const { recoverySeconds: bound = 15, refusals = false, ends = {} } = expectations;
  const asked = readJournal(journal);
  const promised = asked.filter(({ told }) => told?.status === 202);
  const ids = new Map(promised.map((one) => [one.told?.id ?? '', one]));
  if (ids.size < promised.length) violations.add('two ends', 'two requests were given the same id');

  const settled = new Map<string, Answer>();
  const until = Date.now() + patienceMs + ids.size * perAnswerMs;
  await inParallel([...ids.keys()], async (id) => {
    const answer = await settle(world, id, until, violations);
    if (answer !== undefined) settled.set(id, answer);
  });
  if (times.recoverySeconds > bound) {
    violations.add('slow recovery', `${times.recoverySeconds.toFixed(1)} s, ${bound} are allowed`);
  }

  const direct = await directAnswers(world, [...new Set(asked.map(({ path }) => path))], ends);
  for (const [id, { path }] of ids) {
    const answer = settled.get(id);
    if (answer === undefined) continue;
    const wanted = ends[path];
    if (wanted !== undefined && answer.status !== wanted) {
      violations.add('ended badly', `${path} has ${answer.status} instead of ${wanted} (${id})`);
    } else if (wanted === undefined && answer.digest !== direct.get(path)?.digest) {
      const kind = [410, 502, 504].includes(answer.status) ? 'ended badly' : 'identity';
      violations.add(kind, `${path}: ${describe(answer)} instead of ${describe(direct.get(path))} (${id})`);
    }
  }
  checkTold(asked, direct, { ...times, refusals }, violations);
  await inParallel([...settled], async ([id, answer]) => {
    const again = await read(world, id);
    if (again?.digest !== answer.digest) violations.add('answer changed', `second read of ${id}`);
  });
  if (world.hasBroker) await leftInQueues(world, 15_000);
  const republished = await checkLedger(world, ids, settled, violations);
  await Promise.all([...world.running].map((name) => world.stop(name)));
  // With its consumers gone, what they had not acknowledged would be back.
  const left = world.hasBroker ? await leftInQueues(world, 0) : '';
  if (left !== '') violations.add('queue not empty', left);
  checkProcesses(world, violations);

  const count = (fits: (one: Asked) => boolean): number => asked.filter(fits).length;
  return {
    sent: asked.length,
    direct: count(({ told }) => told !== undefined && told.status !== 202 && told.status < 500),
    accepted: promised.length,
    answered: settled.size,
    lost: promised.length - settled.size,
    duplicates: violations.count('two ends') + violations.count('answer changed'),
    refused: count(({ told }) => told !== undefined && told.status >= 500),
    unheard: count(({ told }) => told === undefined),
    republished,
    recoverySeconds: times.recoverySeconds,
    peakMegabytes: Object.fromEntries(
      [...world.peakMemory].map(([name, bytes]) => [name, Math.round(bytes / 2 ** 20)]),
    ),
  };
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function ask(world: World, path: string, prefer?: string): Promise<Response | undefined> {
  try {
    return await fetch(world.url + path, {
      headers: prefer === undefined ? {} : { prefer },
      signal: AbortSignal.timeout(20_000),
    });
  } catch {
    return undefined;
  }
}

async function read(world: World, id: string, prefer?: string): Promise<Answer | undefined> {
  const response = await ask(world, `/solicitudes/${id}/respuesta`, prefer);
  return response && readAnswer(response).catch(() => undefined);
}

/** The answer of an accepted request, once it is there; undefined when there is none. */
async function settle(
  world: World,
  id: string,
  until: number,
  violations: Violations,
): Promise<Answer | undefined> {
  let last: number | undefined;
  while (Date.now() < until) {
    const answer = await read(world, id, 'wait=5');
    last = answer?.status;
    if (answer === undefined || answer.status === 503) {
      await delay(100);
    } else if (answer.status === 404 && answer.body.includes('solicitud-no-encontrada')) {
      violations.add('missing', id);
      return undefined;
    } else if (answer.status !== 202) {
      await checkState(world, id, violations);
      return answer;
    }
  }
  violations.add('not answered', `${id}: ${last ?? 'no connection'}`);
  return undefined;
}

async function checkState(world: World, id: string, violations: Violations): Promise<void> {
  const response = await ask(world, `/solicitudes/${id}`);
  if (response?.status !== 200) return violations.add('ledger', `the state of ${id}: ${response?.status}`);
  const { solicitud } = (await response.json()) as {
    solicitud: { estado: string; terminada?: string; historia: { estado: string }[] };
  };
  const ends = solicitud.historia.filter(({ estado }) => !['aceptada', 'encolada'].includes(estado));
  if (ends.length !== 1 || ends[0]?.estado !== solicitud.estado || solicitud.terminada === undefined) {
    violations.add('two ends', `${id}: ${JSON.stringify(solicitud)}`);
  }
}

/** What the services answer now; the files have not changed. */
async function directAnswers(
  world: World,
  paths: readonly string[],
  ends: Expectations['ends'] = {},
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  await inParallel(
    paths.filter((path) => ends[path] === undefined),
    async (path) => {
      const until = Date.now() + patienceMs;
      while (Date.now() < until) {
        const response = await ask(world, path);
        const answer = response && (await readAnswer(response).catch(() => undefined));
        const direct = response?.headers.get('servido-por') !== 'cola' && (answer?.status ?? 500) < 500;
        // An index that is being built or verified answers with less.
        const whole = !/"estado":"(construyendo|verificando)"/.test(String(answer?.body));
        if (answer !== undefined && direct && whole) {
          answers.set(path, answer);
          return;
        }
        await delay(100);
      }
    },
  );
  return answers;
}

/** What the client was told at once. */
function checkTold(
  asked: readonly Asked[],
  direct: ReadonlyMap<string, Answer>,
  { faultAt, healedAt, refusals }: Times & { readonly refusals: boolean },
  violations: Violations,
): void {
  for (const { told, path, sentAt } of asked) {
    if (told === undefined || told.status === 202) continue;
    const duringFault = sentAt <= healedAt && told.at >= faultAt;
    if (told.status === 503 && refusals && duringFault) {
      if (told.retryAfter === undefined) violations.add('refused', `${path}: 503 without Retry-After`);
    } else if (told.status >= 500) {
      violations.add('refused', `${path}: ${told.status}`);
    } else if (told.digest !== direct.get(path)?.digest && !isIndexed(path)) {
      violations.add('identity', `${path}: told ${told.status}, another answer than the direct one`);
    }
  }
}

/** A direct search may be answered by an index that is not whole yet, and says so. */
function isIndexed(path: string): boolean {
  return path.includes('/buscar_archivos');
}

/** What is in the queues, once it is nothing, or after a while. */
async function leftInQueues({ broker }: World, patience: number): Promise<string> {
  const until = Date.now() + patience;
  for (;;) {
    const ready = await broker.ready();
    const left = [...ready].filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
    if (left.length === 0 || Date.now() > until) return left.join(', ');
    await delay(100);
  }
}

/** Stops the gateway and reads its file; gives how many publishes were repetitions. */
async function checkLedger(
  world: World,
  ids: ReadonlyMap<string, Asked>,
  settled: ReadonlyMap<string, Answer>,
  violations: Violations,
): Promise<number> {
  const until = Date.now() + patienceMs;
  // Those that were committed for a client who was not told any more are answered too.
  while ((await world.evidence.open()) !== 0 && Date.now() < until) await delay(100);
  for (const name of world.running.filter((one) => one.startsWith('gateway'))) await world.stop(name);
  const { integrity, rows } = await world.evidence.all();
  if (integrity !== 'ok') violations.add('ledger', integrity);
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const row of rows) {
    if (row.ends !== 1) {
      const kind = row.ends === 0 ? 'not answered' : 'two ends';
      if (!ids.has(row.id) || row.ends > 1) violations.add(kind, `row ${row.id} (${row.state})`);
    }
  }
  for (const [id, answer] of settled) {
    const row = byId.get(id);
    if (row === undefined) violations.add('ledger', `${id} is not in the file`);
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
