import type { Logger } from 'pino';
import { backOff } from './back-off.ts';
import { PublishError, type Publisher } from './publisher.ts';
import type { Delivery } from './subscriber.ts';
import { encodeReply, type WorkMessage, type WorkResult } from './work-message.ts';

export interface ReplyOptions {
  readonly publisher: Publisher;
  /** How long a reply queue that does not exist is waited for. */
  readonly patienceMs: number;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Publishes a reply, as often as it takes, and acknowledges the request once the reply is confirmed. Gives false when it
 * was given up: the request is no longer held, and will be delivered again; or nobody has the reply queue any more.
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
      if (attempt === 0) log.warn({ kind: error.kind }, 'The reply could not be published; it will be');
      // A gateway that lost its connection too may be about to declare the queue again. Past that its ledger is gone, or
      // was for 7 days: a gateway that has it still will publish anew what is open.
      missingSince = error.kind === 'returned' ? (missingSince ?? performance.now()) : undefined;
      if (missingSince !== undefined && performance.now() - missingSince >= patienceMs) {
        log.error({ replyTo: work.replyTo }, 'The reply was dropped: its queue does not exist');
        delivery.ack();
        return false;
      }
      await backOff(attempt, signal);
    }
  }
  return false;
}

/**
 * Puts a copy of a request behind the others of its queue, and acknowledges it: it starts anew, without its count of
 * deliveries. So this is for requests that did no harm. When it cannot be published, nothing changes.
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
    log.warn({ kind: error.kind }, 'A request could not be handed back to its queue');
  }
}
