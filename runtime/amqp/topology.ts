import { type Session, SpareChannelTimeout } from './session.ts';

/** Every request goes here; its routing key is the service's name. */
export const requestsExchange = 'archivero.solicitudes.v1';

/** The three queues of a service. Their names carry a version, because other arguments need another queue. */
export function queuesOf(service: string): { work: string; isolation: string; quarantine: string } {
  return {
    work: `archivero.${service}.v1`,
    isolation: `archivero.${service}.aislamiento.v1`,
    quarantine: `archivero.${service}.cuarentena.v1`,
  };
}

/** The reply queue of one ledger. Two gateways with two ledgers do not steal each other's replies. */
export function repliesQueue(ledgerId: string): string {
  return `archivero.respuestas.${ledgerId}.v1`;
}

const quorum = { 'x-queue-type': 'quorum' };
const dayMs = 24 * 60 * 60 * 1000;
const answerTimeoutMs = 5_000;
/** A leader is elected in well under a second, and what waits for the queue has to be answered within 15. */
const electionTimeoutMs = 4_000;
const deletionTimeoutMs = 10_000;

/**
 * The arguments of a service's queues. A message whose consumer did not survive it is delivered again, three times at
 * most; then it is dead-lettered to the isolation queue (one at a time there), and after three deliveries there to the
 * quarantine, whose consumer answers without running it. `x-delivery-limit` counts what follows the first delivery.
 *
 * Dead-lettering is at-least-once: a message leaves its queue when the next one has confirmed it, which asks for
 * `reject-publish`. Both ends declare, so neither has to be first; the arguments never change under a version of a name.
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

/** Declares a service's queues. */
export async function declareService(session: Session, service: string): Promise<void> {
  // Together, because those without a leader take their time; and all of them, whatever becomes of the others.
  const declared = await Promise.allSettled(
    queueArguments(service).map(([queue, more]) => declareQueue(session, queue, more)),
  );
  for (const result of declared) if (result.status === 'rejected') throw result.reason;
  await session.onSpareChannel(answerTimeoutMs, async (channel) => {
    await channel.assertExchange(requestsExchange, 'direct', { durable: true });
    await channel.bindQueue(queuesOf(service).work, requestsExchange, service);
  });
}

/** Declares the reply queue of a ledger; it goes by itself when its gateway was gone for 7 days. */
export async function declareReplies(session: Session, ledgerId: string): Promise<string> {
  const queue = repliesQueue(ledgerId);
  await declareQueue(session, queue, { ...quorum, 'x-expires': 7 * dayMs });
  return queue;
}

/** Declares a durable quorum queue, and sees to it that it works. */
async function declareQueue(session: Session, queue: string, more: Record<string, unknown>): Promise<void> {
  const options = { durable: true, arguments: more };
  const { messageCount } = await session.onSpareChannel(answerTimeoutMs, (channel) =>
    channel.assertQueue(queue, options),
  );
  if (messageCount === 0) await replaceIfLeaderless(session, queue);
}

/**
 * A RabbitMQ that is killed within a second of a queue's declaration may bring it back without a leader, for good: it
 * looks empty and well, but confirms nothing, lets nobody consume, and holds up the channel of whoever tries (seen with
 * 3.10.8; https://github.com/rabbitmq/rabbitmq-server/issues/10070). Only a queue that has a leader says that it is
 * empty when a message is asked for. What was in the other is known to the ledger, so it may be deleted.
 */
async function replaceIfLeaderless(session: Session, queue: string): Promise<void> {
  try {
    await session.onSpareChannel(electionTimeoutMs, async (channel) => {
      const message = await channel.get(queue);
      if (message !== false) channel.nack(message);
    });
  } catch (error) {
    if (session.signal.aborted || !(error instanceof SpareChannelTimeout)) throw error;
    // A broker that is frozen or overloaded answers nothing at all: what is in its queue must stay.
    const { messageCount } = await session.onSpareChannel(answerTimeoutMs, (channel) =>
      channel.checkQueue(queue),
    );
    if (messageCount > 0) throw error;
    await session.onSpareChannel(deletionTimeoutMs, (channel) => channel.deleteQueue(queue));
    throw new Error(`${queue} had no leader and was deleted; it will be declared anew`, { cause: error });
  }
}

/** A queue of somebody who pushes and never pops must not fill the disk. */
const mostUserMessages = 100_000;

/** Declares a queue that people put messages into. It refuses more than it has room for. */
export async function declareUserQueue(session: Session, queue: string): Promise<void> {
  const arguments_ = { ...quorum, 'x-max-length': mostUserMessages, 'x-overflow': 'reject-publish' };
  // Never replaced, whatever it looks like: the ledger does not know what people have put into it.
  await session.onSpareChannel(answerTimeoutMs, (channel) =>
    channel.assertQueue(queue, { durable: true, arguments: arguments_ }),
  );
}
