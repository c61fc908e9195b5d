import type { Logger } from 'pino';
import { backOff } from './back-off.ts';
import { PublishError, type Publisher } from './publisher.ts';
import type { Delivery } from './subscriber.ts';
import { encodeReply, type WorkMessage, type WorkResult } from './work-message.ts';

export interface ReplyOptions {
  readonly publisher: Publisher;
  /** Time to wait for a missing reply queue. */
  readonly patienceMs: number;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Publishes a reply, again until it is confirmed, and then acknowledges the request. Returns false when it gave up:
 * the request is no longer held, and will be delivered again, or the reply queue is gone.
 */
export async function sendReply(
  work: WorkMessage,
  result: WorkResult,
  delivery: Delivery,
  options: ReplyOptions,
): Promise<boolean> {
  const { publisher, patienceMs, signal, log } = options;
  const encoded = encodeReply({ ...work, result });
  let missingSince: number | undefined;
  for (let attempt = 0; delivery.held; attempt += 1) {
    try {
      await publisher.publish({ exchange: '', routingKey: work.replyTo, ...encoded });
      delivery.ack();
      return true;
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
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

/**
 * Publishes a copy of a request to the end of its queue and acknowledges it, which resets its delivery count. Meant
 * for harmless requests. When the copy cannot be published, nothing changes.
 */
export async function handBack(delivery: Delivery, publisher: Publisher, log: Logger): Promise<void> {
  if (!delivery.held) return;
  const { content, queue: routingKey } = delivery;
  const { 'x-delivery-count': _, ...headers } = delivery.properties.headers ?? {};
  try {
    await publisher.publish({
      exchange: '',
      routingKey,
      content,
      properties: { ...delivery.properties, headers },
    });
    delivery.ack();
  } catch (error) {
    if (!(error instanceof PublishError)) throw error;
    log.warn({ kind: error.kind }, 'a request could not be handed back to its queue');
  }
}
