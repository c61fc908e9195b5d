import type { Channel, ConsumeMessage, MessageProperties } from 'amqplib';
import type { Logger } from 'pino';
import { within } from '../timeout.ts';
import { type Link, type LinkState, openLink } from './link.ts';
import type { Session } from './session.ts';

/** One delivery of a message. */
export interface Delivery {
  readonly content: Buffer;
  readonly properties: MessageProperties;
  readonly queue: string;
  readonly redelivered: boolean;
  /** Number of earlier deliveries that were not acknowledged, as quorum queues count them. */
  readonly deliveryCount: number;
  /** Whether it can still be acknowledged. Once its channel is gone, the broker delivers it again. */
  readonly held: boolean;
  /** Acknowledges the message on its channel. Does nothing when the channel is gone, or the second time. */
  ack(): void;
}

export interface Consumed {
  readonly name: string;
  /** Limit of deliveries that are held at once. */
  readonly prefetch: number;
  /** Whether the queue starts paused. Default false. */
  readonly paused?: boolean;
  /**
   * Takes a delivery and acknowledges it at any time. An exception is a defect: the connection is opened anew, so the
   * message is delivered again, is counted, and in the end goes to isolation.
   */
  onDelivery(delivery: Delivery): Promise<void> | void;
}

export interface Subscriber {
  readonly state: LinkState;
  /** Calls the listener when `state` changes; returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void;
  /** Stops deliveries from a queue, over reconnects too, until `resume`. Delivered messages stay held. */
  pause(queue: string): void;
  resume(queue: string): void;
  start(): void;
  /**
   * Stops all deliveries, waits up to `graceMs` for those held, and closes. The broker delivers again what was not
   * acknowledged. May be called twice, and before `start`.
   */
  stop(graceMs: number): Promise<void>;
}

export interface SubscriberOptions {
  readonly url: string;
  readonly name: string;
  readonly log: Logger;
  /** Declares the queues; called on every new connection. */
  declare(session: Session): Promise<void>;
  readonly queues: readonly Consumed[];
}

/** A queue's wanted state, and its consumer on the current connection. */
interface Consumer {
  readonly queue: Consumed;
  paused: boolean;
  on: Attachment | undefined;
}

interface Attachment {
  readonly session: Session;
  readonly channel: Channel;
  /** The consumer tag while it consumes. */
  tag: string | undefined;
  /** Resolves at the end of the change in progress. */
  changing: Promise<void> | undefined;
}

/** Bound of the wait for the broker to end the consumers. */
const cancelMs = 2_000;

/** Returns whether a consumer runs that should be paused, or the other way round. */
function isDue({ paused }: Consumer, { tag }: Attachment): boolean {
  return paused === (tag !== undefined);
}

/** Consumes over a connection of its own, with a channel for each queue. */
export function createSubscriber(options: SubscriberOptions): Subscriber {
  const { url, name, log, declare } = options;
  const consumers = new Map<string, Consumer>(
    options.queues.map((queue) => [queue.name, { queue, paused: queue.paused ?? false, on: undefined }]),
  );
  const held = new Set<Delivery>();
  let onIdle: (() => void) | undefined;
  let stopping: Promise<void> | undefined;
  let link: Link | undefined;
  const listeners = new Set<() => void>();

  const release = (delivery: Delivery): void => {
    held.delete(delivery);
    if (held.size === 0) onIdle?.();
  };

  function deliveryOf(message: ConsumeMessage, queue: string, channel: Channel, session: Session): Delivery {
    const delivery: Delivery = {
      content: message.content,
      properties: message.properties,
      queue,
      redelivered: message.fields.redelivered,
      deliveryCount: Number(message.properties.headers?.['x-delivery-count'] ?? 0),
      get held() {
        return held.has(delivery);
      },
      ack() {
        if (!held.has(delivery)) return;
        release(delivery);
        if (!session.signal.aborted) channel.ack(message);
      },
    };
    held.add(delivery);
    return delivery;
  }

  async function hand(delivery: Delivery, consumer: Consumer, session: Session): Promise<void> {
    try {
      await consumer.queue.onDelivery(delivery);
    } catch (error) {
      log.error(
        { err: error, queue: delivery.queue },
        'a delivery could not be handled; it will be delivered again',
      );
      session.drop(new Error(`A delivery from ${delivery.queue} could not be handled`));
    }
  }

  async function consume(consumer: Consumer, { session, channel }: Attachment): Promise<string> {
    const { name: queue } = consumer.queue;
    const { consumerTag } = await channel.consume(queue, (message) => {
      // null means that the broker cancelled the consumer because the queue was deleted. A new connection declares it
      // again.
      if (message === null) session.drop(new Error(`${queue} was deleted`));
      else void hand(deliveryOf(message, queue, channel, session), consumer, session);
    });
    return consumerTag;
  }

  /** Starts or cancels a queue's consumer until it matches the wanted state; one change at a time. */
  function apply(consumer: Consumer): Promise<void> | undefined {
    const { on } = consumer;
    if (on !== undefined && isDue(consumer, on)) on.changing ??= change(consumer, on);
    return on?.changing;
  }

  async function change(consumer: Consumer, on: Attachment): Promise<void> {
    try {
      while (isDue(consumer, on)) {
        if (on.tag === undefined) {
          on.tag = await consume(consumer, on);
        } else {
          await on.channel.cancel(on.tag);
          on.tag = undefined;
        }
      }
    } catch (error) {
      // The channel is gone, or the broker refused: a new connection begins with the wanted state.
      on.session.drop(error instanceof Error ? error : new Error(String(error)));
    } finally {
      on.changing = undefined;
    }
  }

  async function setup(session: Session): Promise<void> {
    session.signal.addEventListener('abort', () => {
      for (const consumer of consumers.values()) consumer.on = undefined;
      for (const delivery of [...held]) release(delivery);
    });
    await declare(session);
    for (const consumer of consumers.values()) {
      const channel = await session.openChannel();
      await channel.prefetch(consumer.queue.prefetch);
      session.signal.throwIfAborted();
      consumer.on = { session, channel, tag: undefined, changing: undefined };
      await apply(consumer);
    }
  }

  const turn = (queue: string, paused: boolean): Promise<void> | undefined => {
    const consumer = consumers.get(queue);
    if (consumer === undefined) throw new TypeError(`${queue} is not consumed here`);
    consumer.paused = paused;
    return apply(consumer);
  };

  async function end(graceMs: number): Promise<void> {
    const cancelled = Promise.all([...consumers.keys()].map((queue) => turn(queue, true)));
    // Until then messages are delivered, such as the copy of one that was handed back: closing now would leave both.
    await within(Math.min(graceMs, cancelMs), cancelled);
    if (held.size > 0) {
      const idle = Promise.withResolvers<void>();
      onIdle = idle.resolve;
      const timer = setTimeout(idle.resolve, graceMs);
      await idle.promise.finally(() => clearTimeout(timer));
    }
    await link?.stop();
  }

  return {
    get state() {
      return link?.state ?? { kind: 'connecting', failure: undefined };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    pause: (queue) => void turn(queue, true),
    resume: (queue) => void turn(queue, false),
    start() {
      if (link !== undefined) return;
      link = openLink({ url, name, log, setup });
      link.subscribe(() => {
        for (const listener of [...listeners]) listener();
      });
    },
    stop(graceMs) {
      stopping ??= end(graceMs);
      return stopping;
    },
  };
}
