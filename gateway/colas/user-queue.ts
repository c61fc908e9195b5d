import { isUtf8 } from 'node:buffer';
import type { GetMessage } from 'amqplib';
import { v7 as uuidv7 } from 'uuid';
import { PublishError, type Publisher } from '../../runtime/amqp/publisher.ts';
import { declareUserQueue } from '../../runtime/amqp/topology.ts';
import { within } from '../../runtime/timeout.ts';
import { maxDepth } from '../http/body.ts';
import { parseExactly } from '../http/exact-json.ts';
import { flawOf } from '../http/json-text.ts';
import { ProblemError } from '../http/problem.ts';
import { type Connection, unavailable } from './connection.ts';

/** A message as it was taken from a queue: JSON, or what it is instead when others have put it there. */
export interface Taken {
  readonly id: string | undefined;
  readonly mensaje?: unknown;
  /** Instead of `mensaje`, for what is no text. */
  readonly mensaje_b64?: string;
  /** Messages that are left. */
  readonly quedan: number;
}

export interface Putting {
  /** JSON text. */
  readonly text: string;
  readonly requestId: string;
  readonly traceparent: string;
}

const answerMs = 5_000;

/** Queues that are known to be there need not be declared for every message. More than so many are forgotten. */
const mostKnown = 1_000;

/** Puts messages into the queues of people, which are made when they are needed. */
export function createPutter(connection: Connection, publisher: Publisher) {
  const known = new Set<string>();
  const declaring = new Map<string, Promise<void>>();

  /** Once, for all that come while it is done: for a broker each is a decision of a whole cluster. */
  async function declare(queue: string): Promise<void> {
    if (known.has(queue)) return;
    const declared = declaring.get(queue) ?? declareNow(queue).finally(() => declaring.delete(queue));
    declaring.set(queue, declared);
    await declared;
  }

  async function declareNow(queue: string): Promise<void> {
    await connection.use(queue, (session) => declareUserQueue(session, queue));
    if (known.size >= mostKnown) known.clear();
    known.add(queue);
  }

  /** Resolves with the message's id when RabbitMQ has confirmed it, which means: on disk. */
  return async (queue: string, { text, requestId, traceparent }: Putting): Promise<string> => {
    const id = uuidv7();
    const publication = {
      exchange: '',
      routingKey: queue,
      content: Buffer.from(text),
      properties: {
        contentType: 'application/json',
        messageId: id,
        timestamp: Math.floor(Date.now() / 1000),
        headers: { traceparent, 'x-request-id': requestId },
      },
    };
    await declare(queue);
    await connected(publisher);
    try {
      await publisher.publish(publication).catch(async (error: unknown) => {
        // Returned: somebody has deleted it since. Nothing of it is anywhere, so it may be sent again.
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

/** The queue could be declared, so the broker is there: the other connection, if it is still being made, is worth a wait. */
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
 * Takes the first message of a queue; undefined when it has none. It is acknowledged before this resolves, so it is given
 * to one caller only, and a caller that dies now has lost it. One that is gone already (`signal`) takes nothing.
 */
export async function takeMessage(
  connection: Connection,
  queue: string,
  signal: AbortSignal,
): Promise<Taken | undefined> {
  let got: GetMessage | undefined;
  let quedan = 0;
  let over = false;
  try {
    await connection.use(queue, (session) =>
      session.onSpareChannel(answerMs, async (channel) => {
        const message = await channel.get(queue);
        if (message === false) return;
        if (over || signal.aborted) return channel.nack(message);
        channel.ack(message);
        got = message;
        // The answer comes after the acknowledgement was read, because a channel works in order.
        quedan = (await channel.checkQueue(queue)).messageCount;
      }),
    );
  } catch (error) {
    over = true;
    // It was acknowledged as far as we know. Better that somebody gets it twice than that nobody does.
    if (got === undefined) throw error;
  }
  return got === undefined ? undefined : { ...contentOf(got), quedan };
}

function contentOf({ content, properties }: GetMessage): Omit<Taken, 'quedan'> {
  const id: unknown = properties.messageId;
  const named = { id: typeof id === 'string' ? id : undefined };
  if (content.length > 0 && !isUtf8(content)) return { ...named, mensaje_b64: content.toString('base64') };
  return { ...named, mensaje: messageOf(content.toString()) };
}

/** What would not come out of here as it is, is given as text: what is no JSON, has a name twice, or is very deep. */
function messageOf(text: string): unknown {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  return flawOf(text, maxDepth) === undefined ? parseExactly(text) : text;
}
