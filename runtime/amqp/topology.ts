import { type Session, SpareChannelTimeout } from './session.ts';

/** Exchange of all requests; the routing key is the service's name. */
export const requestsExchange = 'archivero.solicitudes.v1';

/** Names of a service's three queues. They carry a version, because other arguments need another queue. */
export function queuesOf(service: string): { work: string; isolation: string; quarantine: string } {
  return {
    work: `archivero.${service}.v1`,
    isolation: `archivero.${service}.aislamiento.v1`,
    quarantine: `archivero.${service}.cuarentena.v1`,
  };
}

/** Name of a ledger's reply queue. Gateways with different ledgers do not take each other's replies. */
export function repliesQueue(ledgerId: string): string {
  return `archivero.respuestas.${ledgerId}.v1`;
}

const quorum = { 'x-queue-type': 'quorum' };
const dayMs = 24 * 60 * 60 * 1000;
const answerTimeoutMs = 5_000;
/**
 * A leader is elected in well under a second, and requests that wait for the queue must be answered within 15 s.
 */
const electionTimeoutMs = 4_000;
const deletionTimeoutMs = 10_000;

/**
 * Arguments of a service's queues. A message that kills its consumer is delivered again, three times at most; then it
 * is dead-lettered to the isolation queue, which is consumed one by one, and after three deliveries there to the
 * quarantine, whose consumer answers without running it. `x-delivery-limit` counts the deliveries after the first.
 *
 * Dead-lettering is at-least-once: a message leaves its queue when the next one has confirmed it, which requires
 * `reject-publish`. Both sides declare the queues, so either may start first; the arguments of a versioned name never
 * change.
 */
export function queueArguments(service: string): readonly (readonly [string, Record<string, unknown>])[] {
  const queues = queuesOf(service);
  const deadLetterTo = (queue: string) => ({
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': queue,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  });
  return [
    [queues.quarantine, quorum],
    [queues.isolation, { ...quorum, 'x-delivery-limit': 2, ...deadLetterTo(queues.quarantine) }],
    [queues.work, { ...quorum, 'x-delivery-limit': 3, ...deadLetterTo(queues.isolation) }],
  ];
}

/** Declares a service's queues, and routes its requests to them. */
export async function declareService(session: Session, service: string): Promise<void> {
  await declareQueues(session, service);
  await declareRouting(session, service);
}

/** Declares a service's queues. */
export async function declareQueues(session: Session, service: string): Promise<void> {
  // All at once, because a queue without a leader takes time; and each one, even if another fails.
  const declared = await Promise.allSettled(
    queueArguments(service).map(([queue, more]) => declareQueue(session, queue, more)),
  );
  for (const result of declared) if (result.status === 'rejected') throw result.reason;
}

/** Declares the exchange of all requests, and binds a service's work queue to it. */
export async function declareRouting(session: Session, service: string): Promise<void> {
  await session.onSpareChannel(answerTimeoutMs, async (channel) => {
    await channel.assertExchange(requestsExchange, 'direct', { durable: true });
    await channel.bindQueue(queuesOf(service).work, requestsExchange, service);
  });
}

/** Arguments of a reply queue. */
export const repliesArguments = { ...quorum, 'x-expires': 7 * dayMs };

/** Declares a ledger's reply queue; it expires when its gateway is gone for 7 days. */
export async function declareReplies(session: Session, ledgerId: string): Promise<string> {
  const queue = repliesQueue(ledgerId);
  await declareQueue(session, queue, repliesArguments);
  return queue;
}

/** Declares a durable quorum queue and checks that it works. */
async function declareQueue(session: Session, queue: string, more: Record<string, unknown>): Promise<void> {
  const options = { durable: true, arguments: more };
  const { messageCount } = await session.onSpareChannel(answerTimeoutMs, (channel) =>
    channel.assertQueue(queue, options),
  );
  if (messageCount === 0) await replaceIfLeaderless(session, queue);
}

/**
 * Deletes and declares again a queue that has lost its leader. A RabbitMQ that is killed within a second of a queue's
 * declaration may restore it without a leader, for good: the queue looks empty and well, but confirms nothing, cannot
 * be consumed, and blocks the channel that tries (seen with 3.10.8;
 * https://github.com/rabbitmq/rabbitmq-server/issues/10070). Only a queue with a leader answers a get. The ledger
 * knows what was in the queue, so it may be deleted.
 */
async function replaceIfLeaderless(session: Session, queue: string): Promise<void> {
  try {
    await session.onSpareChannel(electionTimeoutMs, async (channel) => {
      const message = await channel.get(queue);
      if (message !== false) channel.nack(message);
    });
  } catch (error) {
    if (session.signal.aborted || !(error instanceof SpareChannelTimeout)) throw error;
    // A suspended or overloaded broker answers nothing at all: its queue must stay.
    const { messageCount } = await session.onSpareChannel(answerTimeoutMs, (channel) =>
      channel.checkQueue(queue),
    );
    if (messageCount > 0) throw error;
    await session.onSpareChannel(deletionTimeoutMs, (channel) => channel.deleteQueue(queue));
    throw new Error(`${queue} had no leader and was deleted; it will be declared anew`, { cause: error });
  }
}

/** Limits a queue that is never read, so that it does not fill the disk. */
const maxUserMessages = 100_000;

/** Declares a user queue, which refuses messages beyond its limits. */
export async function declareUserQueue(session: Session, queue: string): Promise<void> {
  const arguments_ = { ...quorum, 'x-max-length': maxUserMessages, 'x-overflow': 'reject-publish' };
  // Never deleted: the ledger does not know its messages.
  await session.onSpareChannel(answerTimeoutMs, (channel) =>
    channel.assertQueue(queue, { durable: true, arguments: arguments_ }),
  );
}
