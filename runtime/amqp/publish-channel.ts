import { type ConfirmChannel, IllegalOperationError, type Options } from 'amqplib';
import type { Session } from './session.ts';

/** Reason why a message may not be in a queue. Only with `returned`, `nacked` and `too-large` it certainly is in none. */
export type PublishFailure =
  /** Not connected, or the connection was lost before the confirm. */
  | 'unavailable'
  /** The broker has an alarm. Nothing was sent. */
  | 'blocked'
  /** No queue is bound with that routing key. */
  | 'returned'
  /** The broker refused the message: its queue is full. */
  | 'nacked'
  /** The broker takes no message of this size. */
  | 'too-large'
  /** No confirm came in time. */
  | 'unconfirmed'
  /** Too many messages await their confirm. Nothing was sent. */
  | 'too-many';

export class PublishError extends Error {
  override readonly name = 'PublishError';
  readonly kind: PublishFailure;

  constructor(kind: PublishFailure, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** The broker closed the channel because of another message. This message must be published again. */
export class ChannelClosedError extends Error {
  override readonly name = 'ChannelClosedError';
}

export interface Publication {
  /** `''` is the default exchange, which routes to the queue that the routing key names. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly properties: Options.Publish;
}

/** A confirm channel with the messages on it that await their confirm. */
export interface PublishChannel {
  /**
   * Publishes persistent and mandatory. Resolves on the broker's confirm; rejects with `PublishError` or
   * `ChannelClosedError`.
   */
  publish(publication: Publication): Promise<void>;
  /**
   * Called when nothing will be published here any more. Closes the channel once its messages are confirmed or late.
   */
  retire(): void;
}

export interface PublishChannelOptions {
  /** Time limit of a small message's confirm. A large one has a second more for each 64 KiB. */
  readonly confirmTimeoutMs: number;
  /** Limit of messages that await their confirm. */
  readonly maxInFlight: number;
  /** Called when the broker has refused a message. */
  onNack(): void;
  /** Called when the broker has closed the channel because it takes no message of this many bytes. */
  onTooLarge(bytes: number): void;
}

/** Bytes per millisecond that a connection is expected to carry at least. */
const slowestRate = 64;
/** The channel error PRECONDITION_FAILED: a message is larger than `max_message_size`. */
const tooLargeCode = 406;

/** A message in flight: until its confirm, however late, or the end of its channel. */
interface InFlight {
  readonly timer: NodeJS.Timeout;
  readonly resolve: () => void;
  readonly reject: (reason: Error) => void;
  readonly bytes: number;
  /** Whether its confirm timed out. */
  late: boolean;
}

/**
 * Header that carries a message's tag. A returned message is found by it: two in flight may have the same message id.
 */
const tagHeader = 'x-publicacion';

export async function openPublishChannel(
  session: Session,
  options: PublishChannelOptions,
): Promise<PublishChannel> {
  const { confirmTimeoutMs, maxInFlight, onNack, onTooLarge } = options;
  const channel: ConfirmChannel = await session.openConfirmChannel(closeBecauseTooLarge);
  session.signal.throwIfAborted();
  /** Messages by the delivery tag of their confirm: 1 for the first message of a channel, and so on. */
  const inFlight = new Map<number, InFlight>();
  let lastTag = 0;
  /** Number of late messages in flight. */
  let late = 0;
  let closing: NodeJS.Timeout | undefined;
  let closed = false;

  /** Settles one message, or all up to its tag. A Map keeps the order of publishing. */
  function settle(tag: number, multiple: boolean, failure: Error | undefined): void {
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

  /** Takes the error of a channel on which too large a message was published: of all in flight, the largest is one. */
  function closeBecauseTooLarge(error: Error & { readonly code?: number }): boolean {
    if (error.code !== tooLargeCode || inFlight.size === 0) return false;
    const bytes = Math.max(...[...inFlight.values()].map((message) => message.bytes));
    for (const [tag, message] of inFlight) {
      if (message.bytes === bytes) settle(tag, false, new PublishError('too-large', error.message));
    }
    settle(lastTag, true, new ChannelClosedError(error.message));
    closed = true;
    session.signal.removeEventListener('abort', onLost);
    if (closing === undefined) onTooLarge(bytes);
    clearTimeout(closing);
    return true;
  }

  function onLate(tag: number, timeoutMs: number): void {
    const message = inFlight.get(tag);
    if (message === undefined) return;
    message.reject(new PublishError('unconfirmed', `No confirm in ${timeoutMs} ms`));
    message.late = true;
    late += 1;
    // A late message still counts as in flight, so that memory is bounded. When all are late, the connection is
    // useless.
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
  // The broker sends a return before the confirm of the same message.
  channel.on('return', ({ fields, properties }) => {
    const message = inFlight.get(Number(properties.headers?.[tagHeader]));
    message?.reject(new PublishError('returned', `No queue for ${fields.exchange}/${fields.routingKey}`));
  });

  return {
    async publish({ exchange, routingKey, content, properties }) {
      if (closed) throw new ChannelClosedError('The channel was closed');
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
      const bytes = content.length;
      const timeoutMs = confirmTimeoutMs + Math.round(bytes / slowestRate);
      const timer = setTimeout(onLate, timeoutMs, tag, timeoutMs);
      inFlight.set(tag, { timer, resolve, reject, bytes, late: false });
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
