import type { Session } from '../../runtime/amqp/session.ts';
import type { Connection } from './connection.ts';
import type { ManagedQueue, Management } from './management.ts';
import { knownQueue, type QueueName } from './name.ts';

/** A queue's state as the API shows it. */
export interface Cola extends QueueName {
  /** Messages ready for delivery. */
  readonly listos: number;
  /** Messages delivered but not acknowledged; null without the management API. */
  readonly sin_confirmar: number | null;
  readonly consumidores: number;
}

const answerMs = 2_000;
/** Maximum number of queues inspected concurrently. */
const maxConcurrent = 16;

async function lookAt(session: Session, queue: QueueName, managed: ManagedQueue | undefined): Promise<Cola> {
  const { messageCount, consumerCount } = await session.onSpareChannel(answerMs, (channel) =>
    channel.checkQueue(queue.nombre),
  );
  return {
    ...queue,
    listos: messageCount,
    sin_confirmar: managed?.unacked ?? null,
    consumidores: consumerCount,
  };
}

/** Returns the current state of one queue. */
export async function describeQueue(
  connection: Connection,
  management: Management | undefined,
  queue: QueueName,
): Promise<Cola> {
  const managed = management?.queue(queue.nombre);
  return connection.use(queue.nombre, async (session) => lookAt(session, queue, await managed));
}

/**
 * Returns the state of every queue of this product. AMQP cannot list queue names: without the management API the answer
 * holds the `known` queues only, and `completo` is false.
 */
export async function describeQueues(
  connection: Connection,
  management: Management | undefined,
  known: Iterable<string>,
): Promise<{ readonly colas: readonly Cola[]; readonly completo: boolean }> {
  const managed = await management?.queues();
  const byName = new Map(managed?.map((queue) => [queue.name, queue]));
  const names = [...new Set([...known, ...byName.keys()])].sort((a, b) => a.localeCompare(b, 'es'));
  const queues = names.flatMap((name) => knownQueue(name) ?? []);
  const colas: Cola[] = [];
  for (let at = 0; at < queues.length; at += maxConcurrent) {
    const batch = queues.slice(at, at + maxConcurrent).map((queue) => existing(connection, queue, byName));
    colas.push(...(await Promise.all(batch)).flatMap((cola) => cola ?? []));
  }
  return { colas, completo: managed !== undefined };
}

/** Returns undefined when the queue does not exist. */
function existing(
  connection: Connection,
  queue: QueueName,
  byName: ReadonlyMap<string, ManagedQueue>,
): Promise<Cola | undefined> {
  return connection.use(queue.nombre, async (session) => {
    try {
      return await lookAt(session, queue, byName.get(queue.nombre));
    } catch (error) {
      if ((error as { code?: unknown }).code === 404) return undefined;
      throw error;
    }
  });
}
