import { type ConfirmChannel, IllegalOperationError, type Options } from 'amqplib';
import type { Session } from './session.ts';

/** Why a message is not known to be in a queue. Only of `returned` and `nacked` is it known that it is in none. */
export type PublishFailure =
  /** Not connected; or the connection was lost before the broker's word came. */
  | 'unavailable'
  /** The broker reads nothing that is published: an alarm. Nothing was sent. */
  | 'blocked'
  /** No queue is bound under that routing key. */
  | 'returned'
  /** The broker refused it: its queue is full. */
  | 'nacked'
  /** The broker said nothing in time. */
  | 'unconfirmed'
  /** Too many messages await their confirm already. Nothing was sent. */
  | 'too-many';

export class PublishError extends Error {
  override readonly name = 'PublishError';
  readonly kind: PublishFailure;

  constructor(kind: PublishFailure, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

export interface Publication {
  /** `''` is the default exchange, which routes to the queue that the routing key names. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly properties: Options.Publish;
}

/** A confirm channel, and the messages on it that the broker has said nothing of yet. */
export interface PublishChannel {
  /** Always persistent and mandatory. Resolves on the broker's confirm, and rejects with `PublishError`. */
  publish(publication: Publication): Promise<void>;
  /** To be published on no more. Its channel is closed when all that is on it is confirmed or too late for that. */
  retire(): void;
}

export interface PublishChannelOptions {
  readonly confirmTimeoutMs: number;
  /** How many messages may await their confirm. */
  readonly maxInFlight: number;
  /** The broker has refused a message. */
  onNack(): void;
}

/** A message that holds one of the places in flight: until its confirm, however late, or the end of its channel. */
interface InFlight {
  readonly timer: NodeJS.Timeout;
  readonly resolve: () => void;
  readonly reject: (reason: PublishError) => void;
  /** Its confirm timed out. */
  late: boolean;
}

/** Carries a message's tag, by which it is found if it is returned: two in flight may have the same message id. */
const tagHeader = 'x-publicacion';

export async function openPublishChannel(
  session: Session,
  options: PublishChannelOptions,
): Promise<PublishChannel> {
  const { confirmTimeoutMs, maxInFlight, onNack } = options;
  const channel: ConfirmChannel = await session.openConfirmChannel();
  session.signal.throwIfAborted();
  /** By the tag that the broker's confirm will carry: 1 for the first message of a channel, and so on. */
  const inFlight = new Map<number, InFlight>();
  let lastTag = 0;
  /** How many of those in flight are late. */
  let late = 0;
  let closing: NodeJS.Timeout | undefined;

  /** Ends the wait of one message, or of all up to its tag. A Map keeps the order in which they were published. */
  function settle(tag: number, multiple: boolean, failure: PublishError | undefined): void {
    for (const each of multiple ? inFlight.keys() : [tag]) {
      if (each > tag) return;
      const message = inFlight.get(each);
      if (message === undefined) continue;
      inFlight.delete(each);
      clearTimeout(message.timer);
      if (message.late) late -= 1;
      if (failure === undefined) message.resolve();
      else message.reject(failure);
    }
  }

  function onLate(tag: number): void {
    const message = inFlight.get(tag);
    if (message === undefined) return;
    message.reject(new PublishError('unconfirmed', `No confirm in ${confirmTimeoutMs} ms`));
    message.late = true;
    late += 1;
    // It keeps its place, so that memory is bounded. When all places are lost in this way, the connection is of no use.
    if (late >= maxInFlight) session.drop(new Error(`${late} messages were never confirmed`));
  }

  function end(reason: unknown): void {
    session.signal.removeEventListener('abort', onLost);
    clearTimeout(closing);
    settle(lastTag, true, new PublishError('unavailable', 'The connection was lost', { cause: reason }));
  }
  const onLost = (): void => end(session.signal.reason);
  session.signal.addEventListener('abort', onLost);

  channel.on('ack', ({ deliveryTag, multiple }) => settle(deliveryTag, multiple, undefined));
  channel.on('nack', ({ deliveryTag, multiple }) => {
    settle(deliveryTag, multiple, new PublishError('nacked', 'The broker refused the message'));
    onNack();
  });
  // A return comes before the confirm of the same message.
  channel.on('return', ({ fields, properties }) => {
    const message = inFlight.get(Number(properties.headers?.[tagHeader]));
    message?.reject(new PublishError('returned', `No queue for ${fields.exchange}/${fields.routingKey}`));
  });

  return {
    async publish({ exchange, routingKey, content, properties }) {
      if (inFlight.size >= maxInFlight)
        throw new PublishError('too-many', `${maxInFlight} messages are in flight`);
      const tag = lastTag + 1;
      const headers = { ...properties.headers, [tagHeader]: tag };
      try {
        channel.publish(exchange, routingKey, content, {
          ...properties,
          headers,
          mandatory: true,
          persistent: true,
        });
      } catch (error) {
        if (!(error instanceof IllegalOperationError)) throw error;
        throw new PublishError('unavailable', 'The connection is closing', { cause: error });
      }
      lastTag = tag;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      inFlight.set(tag, { timer: setTimeout(onLate, confirmTimeoutMs, tag), resolve, reject, late: false });
      return promise;
    },
    retire() {
      if (closing !== undefined || session.signal.aborted) return;
      closing = setTimeout(() => {
        end(new Error('Its channel was given up'));
        session.closeChannel(channel);
      }, confirmTimeoutMs);
    },
  };
}
