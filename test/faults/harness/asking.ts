import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, readAnswer } from './answer.ts';
import type { Violations } from './findings.ts';
import type { World } from './world.ts';

const atOnce = 24;
const requestMs = 20_000;

export async function inParallel<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
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
      signal: AbortSignal.timeout(requestMs),
    });
  } catch {
    return undefined;
  }
}

/** What is stored for an accepted request now; undefined when no answer came at all. */
export async function read(world: World, id: string, prefer?: string): Promise<Answer | undefined> {
  const response = await ask(world, `/solicitudes/${id}/respuesta`, prefer);
  return response && readAnswer(response).catch(() => undefined);
}

/** The answer of an accepted request, once it is there; undefined when there is none. `until`: ms since 1970. */
export async function settle(
  world: World,
  id: string,
  until: number,
  violations: Violations,
): Promise<Answer | undefined> {
  let last: number | undefined;
  do {
    const seconds = Math.min(5, Math.floor((until - Date.now()) / 1000));
    const answer = await read(world, id, seconds > 0 ? `wait=${seconds}` : undefined);
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
  } while (Date.now() < until);
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

/** What the services answer directly; the files have not changed. A path that has no such answer is left out. */
export async function directAnswers(
  world: World,
  paths: readonly string[],
  patienceMs: number,
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  await inParallel(paths, async (path) => {
    const until = Date.now() + patienceMs;
    while (Date.now() < until) {
      const response = await ask(world, path);
      const answer = response && (await readAnswer(response).catch(() => undefined));
      const direct = response?.headers.get('servido-por') !== 'cola' && (answer?.status ?? 500) < 500;
      // An index that is being built or verified answers with less.
      const whole = !/"estado":"(construyendo|verificando)"/.test(String(answer?.body));
      if (answer !== undefined && direct && whole && answer.status !== 202) {
        answers.set(path, answer);
        return;
      }
      await delay(100);
    }
  });
  return answers;
}
