import type { Session } from '../../runtime/amqp/session.ts';
import type { Connection } from './connection.ts';
import type { ManagedQueue, Management } from './management.ts';
import { knownQueue, type QueueName } from './name.ts';

/** A queue as it is shown. */
export interface Cola extends QueueName {
  /** Messages that wait. */
  readonly listos: number;
  /** Delivered and not acknowledged; null when the management API does not say. */
  readonly sin_confirmar: number | null;
  readonly consumidores: number;
}

const answerMs = 2_000;
/** Queues that are asked at the same time. */
const atOnce = 16;

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

/** One queue, as RabbitMQ has it now. */
export async function describeQueue(
  connection: Connection,
  management: Management | undefined,
  queue: QueueName,
): Promise<Cola> {
  const managed = management?.queue(queue.nombre);
  return connection.use(queue.nombre, async (session) => lookAt(session, queue, await managed));
}

/**
 * All queues of ours. AMQP has no way to ask for names: without the management API these are the ones that are `known`, and
 * `completo` is false.
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
  for (let at = 0; at < queues.length; at += atOnce) {
    const some = queues.slice(at, at + atOnce).map((queue) => existing(connection, queue, byName));
    colas.push(...(await Promise.all(some)).flatMap((cola) => cola ?? []));
  }
  return { colas, completo: managed !== undefined };
}

/** Undefined for one that is not there, or not any more. */
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
