import type { Logger } from 'pino';
import { tooLargeError } from '../errors.ts';
import { backOff } from './back-off.ts';
import { compress } from './content-coding.ts';
import { returnsHeader, type WayBack } from './dead-letters.ts';
import { PublishError, type Publisher } from './publisher.ts';
import type { Delivery } from './subscriber.ts';
import { type Encoded, encodeReply, encodeWork, type WorkMessage, type WorkReply } from './work-message.ts';

export interface ReplyOptions {
  readonly publisher: Publisher;
  /** Time to wait for a missing reply queue. */
  readonly patienceMs: number;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** A larger reply is compressed. A page of 1000 entries stays readable in the management UI. */
const maxPlainBytes = 1024 * 1024;

/** Encodes a reply, compressed when it is large. */
export async function prepareReply(reply: WorkReply): Promise<Encoded> {
  const encoded = encodeReply(reply);
  return encoded.content.length > maxPlainBytes ? compress(encoded) : encoded;
}

/**
 * Publishes a reply, again until it is confirmed, and then acknowledges the request. A reply that the broker does not take
 * even compressed becomes an error. Returns false when it gave up: the request is no longer held, and will be delivered
 * again, or the reply queue is gone.
 */
export async function sendReply(
  work: WorkMessage,
  prepared: Encoded,
  delivery: Delivery,
  options: ReplyOptions,
): Promise<boolean> {
  const { publisher, patienceMs, signal, log } = options;
  let reply = prepared;
  let missingSince: number | undefined;
  for (let attempt = 0; delivery.held; attempt += 1) {
    try {
      await publisher.publish({ exchange: '', routingKey: work.replyTo, ...reply });
      delivery.ack();
      return true;
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      if (error.kind === 'too-large' && reply.content.length > 0) {
        reply = await smaller(reply, work, log);
        continue;
      }
      if (attempt === 0)
        log.warn({ kind: error.kind }, 'the reply could not be published; trying until it is');
      // A gateway that lost its connection too may be about to declare the queue again. After `patienceMs` its ledger
      // is gone or was away for 7 days; a gateway that still has it will publish its open requests again.
      missingSince = error.kind === 'returned' ? (missingSince ?? performance.now()) : undefined;
      if (missingSince !== undefined && performance.now() - missingSince >= patienceMs) {
        log.error({ replyTo: work.replyTo }, 'the reply was dropped: its queue does not exist');
        delivery.ack();
        return false;
      }
      await backOff(attempt, signal);
    }
  }
  return false;
}

/** Returns a reply that the broker did not take as a smaller one: compressed, or else an error without content. */
async function smaller(reply: Encoded, work: WorkMessage, log: Logger): Promise<Encoded> {
  if (reply.properties.contentEncoding === undefined) return compress(reply);
  log.error(
    { bytes: reply.content.length },
    'the broker takes no message of this size (max_message_size); the answer becomes an error',
  );
  const { code, message } = tooLargeError();
  return encodeReply({ ...work, result: { kind: 'status', code, message } });
}

/**
 * Publishes a copy of a request to the end of a queue and acknowledges it, which resets its delivery count. Meant
 * for harmless requests. When the copy cannot be published, nothing changes.
 *
 * The copy has the fields of docs/wire.md only. Others would do harm, such as `CC` or the `user_id` of its sender, and the
 * broker's count of deliveries and deaths begins anew.
 */
export async function handBack(
  work: WorkMessage,
  delivery: Delivery,
  { queue, headers: more }: WayBack,
  { publisher, log }: Pick<ReplyOptions, 'publisher' | 'log'>,
): Promise<void> {
  if (!delivery.held) return;
  const { content, properties } = encodeWork(work);
  const returns: unknown = delivery.properties.headers?.[returnsHeader];
  const kept = Number.isSafeInteger(returns) ? { [returnsHeader]: returns } : {};
  const headers = { ...properties.headers, ...kept, ...more };
  try {
    await publisher.publish({
      exchange: '',
      routingKey: queue,
      content,
      properties: { ...properties, headers },
    });
    delivery.ack();
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    log.warn({ kind: error.kind }, 'a request could not be handed back to its queue');
  }
}
