import { type ConfirmChannel, IllegalOperationError, type Options } from 'amqplib';
import type { Logger } from 'pino';
import { type Link, type LinkState, openLink } from './link.ts';
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

export interface Publisher {
  /** Connected, set up, and not blocked by an alarm. */
  readonly usable: boolean;
  readonly state: LinkState;
  /** Tells when `state` changes; gives the function that ends it. */
  subscribe(listener: () => void): () => void;
  /** Always persistent and mandatory. Resolves on the broker's confirm, and rejects with `PublishError`. */
  publish(publication: Publication): Promise<void>;
  /** Messages ready in a queue, and its consumers; undefined when there is no such queue. Rejects with `PublishError`. */
  inspect(queue: string): Promise<{ readonly ready: number; readonly consumers: number } | undefined>;
  /**
   * Makes a round trip to the broker and gives its version. Also when it is blocked, which then may hang: RabbitMQ does not
   * read a connection that has published. Rejects with `PublishError`.
   */
  ping(): Promise<string>;
  /** Declares all again, after a queue was deleted. Rejects with `PublishError`. */
  redeclare(): Promise<void>;
  start(): void;
  /** Rejects what is pending. May be called twice, and before `start`. */
  stop(): Promise<void>;
}

export interface PublisherOptions {
  readonly url: string;
  readonly name: string;
  readonly log: Logger;
  /** Declares what it publishes to; run on every new connection. */
  declare(session: Session): Promise<void>;
  /** Default 2000. */
  readonly confirmTimeoutMs?: number;
  /** How many messages may await their confirm. Default 512. */
  readonly maxInFlight?: number;
}

/** A message that holds one of the places in flight: until its confirm, however late, or the end of its connection. */
interface InFlight {
  readonly timer: NodeJS.Timeout;
  readonly resolve: () => void;
  readonly reject: (reason: PublishError) => void;
  /** Its confirm timed out. */
  late: boolean;
}

interface Connection {
  readonly session: Session;
  readonly channel: ConfirmChannel;
  /** By the tag that the broker's confirm will carry: 1 for the first message of a channel, and so on. */
  readonly inFlight: Map<number, InFlight>;
  lastTag: number;
  /** How many of those in flight are late. */
  late: number;
}

/** Carries a message's tag, by which it is found if it is returned: two in flight may have the same message id. */
const tagHeader = 'x-publicacion';
const notFound = 404;

/** Publishes over a connection of its own; one that also consumed would not be read under an alarm. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { url, name, log, declare, confirmTimeoutMs = 2_000, maxInFlight = 512 } = options;
  const listeners = new Set<() => void>();
  let link: Link | undefined;
  let current: Connection | undefined;

  async function setup(session: Session): Promise<void> {
    const channel = await session.openConfirmChannel();
    await declare(session);
    session.signal.throwIfAborted();
    const connection: Connection = { session, channel, inFlight: new Map(), lastTag: 0, late: 0 };
    const { inFlight } = connection;
    channel.on('ack', ({ deliveryTag, multiple }) => confirm(connection, deliveryTag, multiple, undefined));
    channel.on('nack', ({ deliveryTag, multiple }) => {
      confirm(
        connection,
        deliveryTag,
        multiple,
        new PublishError('nacked', 'The broker refused the message'),
      );
    });
    // A return comes before the confirm of the same message.
    channel.on('return', ({ fields, properties }) => {
      const message = inFlight.get(Number(properties.headers?.[tagHeader]));
      message?.reject(new PublishError('returned', `No queue for ${fields.exchange}/${fields.routingKey}`));
    });
    session.signal.addEventListener('abort', () => {
      current = undefined;
      const lost = new PublishError('unavailable', 'The connection was lost', {
        cause: session.signal.reason,
      });
      confirm(connection, connection.lastTag, true, lost);
    });
    current = connection;
  }

  const usableOrThrow = (): Connection => {
    if (link?.state.kind === 'blocked') throw new PublishError('blocked', link.state.reason);
    if (link?.state.kind !== 'ready' || current === undefined)
      throw new PublishError('unavailable', 'Not connected');
    return current;
  };

  const onLate = (connection: Connection, tag: number): void => {
    const message = connection.inFlight.get(tag);
    if (message === undefined) return;
    message.reject(new PublishError('unconfirmed', `No confirm in ${confirmTimeoutMs} ms`));
    message.late = true;
    connection.late += 1;
    // It keeps its place, so that memory is bounded. When all places are lost in this way, the connection is of no use.
    if (connection.late < maxInFlight) return;
    connection.session.drop(new Error(`${connection.late} messages were never confirmed`));
  };

  return {
    get usable() {
      return link?.state.kind === 'ready';
    },
    get state() {
      return link?.state ?? { kind: 'connecting', failure: undefined };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async publish({ exchange, routingKey, content, properties }) {
      const connection = usableOrThrow();
      const { channel, inFlight } = connection;
      if (inFlight.size >= maxInFlight)
        throw new PublishError('too-many', `${maxInFlight} messages are in flight`);
      const tag = connection.lastTag + 1;
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
      connection.lastTag = tag;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      inFlight.set(tag, {
        timer: setTimeout(onLate, confirmTimeoutMs, connection, tag),
        resolve,
        reject,
        late: false,
      });
      return promise;
    },
    async inspect(queue) {
      const { session } = usableOrThrow();
      try {
        const found = await session.onSpareChannel(confirmTimeoutMs, (channel) => channel.checkQueue(queue));
        return { ready: found.messageCount, consumers: found.consumerCount };
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === notFound) return undefined;
        throw new PublishError('unavailable', `Cannot look at ${queue}`, { cause: error });
      }
    },
    async ping() {
      if (current === undefined) throw new PublishError('unavailable', 'Not connected');
      const { session } = current;
      try {
        await session.onSpareChannel(confirmTimeoutMs, async () => undefined);
      } catch (error) {
        throw new PublishError('unavailable', 'The broker does not answer', { cause: error });
      }
      return session.brokerVersion;
    },
    async redeclare() {
      const { session } = usableOrThrow();
      try {
        await declare(session);
      } catch (error) {
        throw new PublishError('unavailable', 'Cannot declare', { cause: error });
      }
    },
    start() {
      if (link !== undefined) return;
      link = openLink({ url, name, log, setup });
      link.subscribe(() => {
        for (const listener of [...listeners]) listener();
      });
    },
    async stop() {
      await link?.stop();
    },
  };
}

/** Ends the wait of one message, or of all up to its tag. A Map keeps the order in which they were published. */
function confirm(
  connection: Connection,
  tag: number,
  multiple: boolean,
  failure: PublishError | undefined,
): void {
  const { inFlight } = connection;
  for (const each of multiple ? inFlight.keys() : [tag]) {
    if (each > tag) return;
    const message = inFlight.get(each);
    if (message === undefined) continue;
    inFlight.delete(each);
    clearTimeout(message.timer);
    if (message.late) connection.late -= 1;
    if (failure === undefined) message.resolve();
    else message.reject(failure);
  }
}
