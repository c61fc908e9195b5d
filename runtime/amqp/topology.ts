import type { Channel } from 'amqplib';

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

const dayMs = 24 * 60 * 60 * 1000;
const durable = { durable: true };

/**
 * Declares a service's queues. A message whose consumer did not survive it is delivered again, three times at most;
 * then it is dead-lettered to the isolation queue (one at a time there), and after three deliveries there to the
 * quarantine, whose consumer answers without running it. `x-delivery-limit` counts what follows the first delivery.
 *
 * Dead-lettering is at-least-once: a message leaves its queue when the next one has confirmed it, which asks for
 * `reject-publish`. Both ends declare, so neither has to be first; the arguments never change under a version of a name.
 */
export async function declareService(channel: Channel, service: string): Promise<void> {
  const queues = queuesOf(service);
  const quorum = (more: Record<string, unknown>) => ({
    ...durable,
    arguments: { 'x-queue-type': 'quorum', ...more },
  });
  const deadLetterTo = (queue: string) => ({
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': queue,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  });
  await channel.assertExchange(requestsExchange, 'direct', durable);
  await channel.assertQueue(queues.quarantine, quorum({}));
  await channel.assertQueue(
    queues.isolation,
    quorum({ 'x-delivery-limit': 2, ...deadLetterTo(queues.quarantine) }),
  );
  await channel.assertQueue(
    queues.work,
    quorum({ 'x-delivery-limit': 3, ...deadLetterTo(queues.isolation) }),
  );
  await channel.bindQueue(queues.work, requestsExchange, service);
}

/** Declares the reply queue of a ledger; it goes by itself when its gateway was gone for 7 days. */
export async function declareReplies(channel: Channel, ledgerId: string): Promise<string> {
  const queue = repliesQueue(ledgerId);
  await channel.assertQueue(queue, {
    ...durable,
    arguments: { 'x-queue-type': 'quorum', 'x-expires': 7 * dayMs },
  });
  return queue;
}
