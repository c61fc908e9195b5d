import { isUtf8 } from 'node:buffer';
import type { GetMessage } from 'amqplib';
import { v7 as uuidv7 } from 'uuid';
import { PublishError, type Publisher } from '../../runtime/amqp/publisher.ts';
import { declareUserQueue } from '../../runtime/amqp/topology.ts';
import { within } from '../../runtime/timeout.ts';
import { traceHeaders } from '../../runtime/tracing/traceparent.ts';
import { maxDepth } from '../http/body.ts';
import { parseExactly } from '../http/exact-json.ts';
import { findJsonFlaw } from '../http/json-text.ts';
import { ProblemError } from '../http/problem.ts';
import { type Connection, unavailable } from './connection.ts';

/** A message taken from a queue: JSON, or another application's content as text or base64. */
export interface PoppedMessage {
  readonly id: string | undefined;
  readonly mensaje?: unknown;
  /** Replaces `mensaje` when the content is not UTF-8. */
  readonly mensaje_b64?: string;
  /** Messages left in the queue. */
  readonly quedan: number;
}

export interface PushOptions {
  /** JSON text. */
  readonly text: string;
  readonly requestId: string;
  readonly traceparent: string;
}

const answerMs = 5_000;

/** Queues known to exist are not declared again for each message. The set is cleared at this size. */
const maxKnownQueues = 1_000;

/** Creates a function that pushes messages to user queues, which are declared at their first push. */
export function createPusher(connection: Connection, publisher: Publisher) {
  const known = new Set<string>();
  const declaring = new Map<string, Promise<void>>();

  /** Concurrent pushes share one declaration: in a RabbitMQ cluster each declaration needs a consensus round. */
  async function declare(queue: string): Promise<void> {
    if (known.has(queue)) return;
    const declared = declaring.get(queue) ?? declareNow(queue).finally(() => declaring.delete(queue));
    declaring.set(queue, declared);
    await declared;
  }

  async function declareNow(queue: string): Promise<void> {
    await connection.use(queue, (session) => declareUserQueue(session, queue));
    if (known.size >= maxKnownQueues) known.clear();
    known.add(queue);
  }

  /** Resolves with the message's id once RabbitMQ has confirmed it, which means that it is on disk. */
  return async (queue: string, { text, requestId, traceparent }: PushOptions): Promise<string> => {
    const id = uuidv7();
    const publication = {
      exchange: '',
      routingKey: queue,
      content: Buffer.from(text),
      properties: {
        contentType: 'application/json',
        messageId: id,
        timestamp: Math.floor(Date.now() / 1000),
        headers: { ...traceHeaders(traceparent), 'x-request-id': requestId },
      },
    };
    await declare(queue);
    await connected(publisher);
    try {
      await publisher.publish(publication).catch(async (error: unknown) => {
        // Returned: the queue was deleted since it was declared. The message is in no queue, so resending is safe.
        if (!(error instanceof PublishError) || error.kind !== 'returned') throw error;
        known.delete(queue);
        await declare(queue);
        return publisher.publish(publication);
      });
    } catch (error) {
      throw error instanceof PublishError ? problemOf(error, queue) : error;
    }
    return id;
  };
}

/** Waits for the publisher's connection. The queue was declared just now, so the broker is reachable. */
async function connected(publisher: Publisher): Promise<void> {
  if (publisher.state.kind !== 'connecting') return;
  const changed = Promise.withResolvers<void>();
  const unsubscribe = publisher.subscribe(() => {
    if (publisher.state.kind !== 'connecting') changed.resolve();
  });
  await within(answerMs, changed.promise).finally(unsubscribe);
}

function problemOf(error: PublishError, cola: string): ProblemError {
  const later = { headers: { 'retry-after': '5' } };
  if (error.kind === 'nacked') return new ProblemError('cola-llena', { values: { cola }, ...later });
  if (error.kind === 'blocked') return new ProblemError('rabbitmq-sin-recursos', later);
  return unavailable(error);
}

/**
 * Takes the first message of a queue; undefined when the queue is empty. The message is acknowledged before this resolves,
 * so only one client receives it, and a client that disconnects now loses it. After `signal` aborts no message is taken.
 */
export async function takeMessage(
  connection: Connection,
  queue: string,
  signal: AbortSignal,
): Promise<PoppedMessage | undefined> {
  let got: GetMessage | undefined;
  let quedan = 0;
  let abandoned = false;
  try {
    await connection.use(queue, (session) =>
      session.onSpareChannel(answerMs, async (channel) => {
        const message = await channel.get(queue);
        if (message === false) return;
        if (abandoned || signal.aborted) return channel.nack(message);
        channel.ack(message);
        got = message;
        // A channel processes frames in order, so this answer proves that the acknowledgement was read.
        quedan = (await channel.checkQueue(queue)).messageCount;
      }),
    );
  } catch (error) {
    abandoned = true;
    // The acknowledgement may have arrived. Delivering the message twice is better than losing it.
    if (got === undefined) throw error;
  }
  return got === undefined ? undefined : { ...contentOf(got), quedan };
}

function contentOf({ content, properties }: GetMessage): Omit<PoppedMessage, 'quedan'> {
  const id: unknown = properties.messageId;
  const named = { id: typeof id === 'string' ? id : undefined };
  if (content.length > 0 && !isUtf8(content)) return { ...named, mensaje_b64: content.toString('base64') };
  return { ...named, mensaje: messageOf(content.toString()) };
}

/** Returns text instead of JSON when parsing would change it: invalid JSON, duplicate names, excessive depth. */
function messageOf(text: string): unknown {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return findJsonFlaw(text, maxDepth) === undefined ? parseExactly(text) : text;
}
