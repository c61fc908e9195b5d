import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, readAnswer } from './answer.ts';
import type { Deployment } from './deployment.ts';
import type { Violations } from './violations.ts';

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

async function get(deployment: Deployment, path: string, prefer?: string): Promise<Response | undefined> {
  try {
    return await fetch(deployment.url + path, {
      headers: prefer === undefined ? {} : { prefer },
      signal: AbortSignal.timeout(requestMs),
    });
  } catch {
    return undefined;
  }
}

/** Reads the stored answer of an accepted request; undefined when the gateway did not answer. */
export async function readStored(
  deployment: Deployment,
  id: string,
  prefer?: string,
): Promise<Answer | undefined> {
  const response = await get(deployment, `/solicitudes/${id}/respuesta`, prefer);
  return response && readAnswer(response).catch(() => undefined);
}

/** Waits for the answer of an accepted request; undefined when none comes until `until`, ms since 1970. */
export async function awaitStored(
  deployment: Deployment,
  id: string,
  until: number,
  violations: Violations,
): Promise<Answer | undefined> {
  let last: number | undefined;
  do {
    const seconds = Math.min(5, Math.floor((until - Date.now()) / 1000));
    const answer = await readStored(deployment, id, seconds > 0 ? `wait=${seconds}` : undefined);
    last = answer?.status;
    if (answer === undefined || answer.status === 503) {
      await delay(100);
    } else if (answer.status === 404 && answer.body.includes('solicitud-no-encontrada')) {
      violations.add('missing', id);
      return undefined;
    } else if (answer.status !== 202) {
      await checkState(deployment, id, violations);
      return answer;
    }
  } while (Date.now() < until);
  violations.add('not answered', `${id}: ${last ?? 'no connection'}`);
  return undefined;
}

async function checkState(deployment: Deployment, id: string, violations: Violations): Promise<void> {
  const response = await get(deployment, `/solicitudes/${id}`);
  if (response?.status !== 200) return violations.add('ledger', `the state of ${id}: ${response?.status}`);
  const { solicitud } = (await response.json()) as {
    solicitud: { estado: string; terminada?: string; historia: { estado: string }[] };
  };
  const ends = solicitud.historia.filter(({ estado }) => !['aceptada', 'encolada'].includes(estado));
  if (ends.length !== 1 || ends[0]?.estado !== solicitud.estado || solicitud.terminada === undefined) {
    violations.add('closed twice', `${id}: ${JSON.stringify(solicitud)}`);
  }
}

/** Requests each path until the service answers it directly. A path without a direct answer is left out. */
export async function directAnswers(
  deployment: Deployment,
  paths: readonly string[],
  patienceMs: number,
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  await inParallel(paths, async (path) => {
    const until = Date.now() + patienceMs;
    while (Date.now() < until) {
      const response = await get(deployment, path);
      const answer = response && (await readAnswer(response).catch(() => undefined));
      const direct = response?.headers.get('servido-por') !== 'cola' && (answer?.status ?? 500) < 500;
      // An index in these states may answer with fewer entries.
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
