import type { Logger } from 'pino';
import { type Link, type LinkState, openLink } from './link.ts';
import {
  ChannelClosedError,
  openPublishChannel,
  type Publication,
  type PublishChannel,
  PublishError,
} from './publish-channel.ts';
import type { Session } from './session.ts';

export { type Publication, PublishError, type PublishFailure } from './publish-channel.ts';

export interface Publisher {
  /** Whether the link is connected, set up, and not blocked by an alarm. */
  readonly usable: boolean;
  readonly state: LinkState;
  /** Calls the listener when `state` changes; returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void;
  /** Publishes persistent and mandatory. Resolves on the broker's confirm; rejects with `PublishError`. */
  publish(publication: Publication): Promise<void>;
  /**
   * Returns a queue's ready messages and consumers; undefined when there is no such queue. Rejects with
   * `PublishError`.
   */
  inspect(queue: string): Promise<{ readonly ready: number; readonly consumers: number } | undefined>;
  /**
   * Makes a round trip to the broker and returns its version. Rejects with `PublishError`. Under an alarm it may
   * hang: RabbitMQ does not read a connection that has published.
   */
  ping(): Promise<string>;
  start(): void;
  /** Rejects pending messages. May be called twice, and before `start`. */
  stop(): Promise<void>;
}

export interface PublisherOptions {
  readonly url: string;
  readonly name: string;
  readonly log: Logger;
  /** Declares the exchanges and queues; called on every new connection. */
  declare(session: Session): Promise<void>;
  /** Time limit of a confirm. Default 2000. */
  readonly confirmTimeoutMs?: number;
  /** Limit of messages that await their confirm. Default 512. */
  readonly maxInFlight?: number;
}

interface Connection {
  readonly session: Session;
  channel: PublishChannel | Promise<PublishChannel>;
  /** Size from which on the broker takes no message, as far as it is known. */
  tooLarge: number;
  /** Time when the channel was opened, by the monotonic clock. */
  channelSince: number;
  renewing: boolean;
}

/** Minimum age at which a channel is replaced by another one. */
const channelLifeMs = 1_000;
const notFound = 404;

/**
 * Publishes over a connection of its own: under an alarm, the broker would not read one that also consumes.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { url, name, log, declare, confirmTimeoutMs = 2_000, maxInFlight = 512 } = options;
  const listeners = new Set<() => void>();
  let link: Link | undefined;
  let current: Connection | undefined;

  const openChannel = (session: Session): Promise<PublishChannel> =>
    openPublishChannel(session, {
      confirmTimeoutMs,
      maxInFlight,
      onNack: () => void renewChannel(session),
      onTooLarge: (bytes) => replaceChannel(session, bytes),
    });

  /** Opens a channel in place of one that the broker has closed. Publishers wait for it. */
  function replaceChannel(session: Session, tooLarge: number): void {
    const connection = current;
    if (connection?.session !== session) return;
    connection.tooLarge = Math.min(connection.tooLarge, tooLarge);
    connection.channel = openChannel(session);
    connection.channel.catch((error) => session.drop(error));
  }

  async function setup(session: Session): Promise<void> {
    const channel = await openChannel(session);
    await declare(session);
    session.signal.throwIfAborted();
    session.signal.addEventListener('abort', () => {
      current = undefined;
    });
    current = {
      session,
      channel,
      tooLarge: Number.POSITIVE_INFINITY,
      channelSince: performance.now(),
      renewing: false,
    };
  }

  /**
   * Replaces the channel after a nack. A channel that has met a full quorum queue goes on refusing messages for it by
   * itself, also after the limit is lifted (seen with RabbitMQ 3.10.8). Only another channel shows whether the queue
   * takes messages now.
   */
  async function renewChannel(session: Session): Promise<void> {
    const connection = current;
    if (connection?.session !== session || connection.renewing) return;
    if (performance.now() - connection.channelSince < channelLifeMs) return;
    connection.renewing = true;
    try {
      const channel = await openChannel(session);
      (await connection.channel).retire();
      connection.channel = channel;
      connection.channelSince = performance.now();
    } catch (error) {
      session.drop(error instanceof Error ? error : new Error(String(error)));
    } finally {
      connection.renewing = false;
    }
  }

  const usableOrThrow = (): Connection => {
    if (link?.state.kind === 'blocked') throw new PublishError('blocked', link.state.reason);
    if (link?.state.kind !== 'ready' || current === undefined)
      throw new PublishError('unavailable', 'Not connected');
    return current;
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
    async publish(publication) {
      for (;;) {
        const { channel, tooLarge } = usableOrThrow();
        if (publication.content.length >= tooLarge)
          throw new PublishError('too-large', `The broker refused a message of ${tooLarge} bytes`);
        try {
          return await (await channel).publish(publication);
        } catch (error) {
          if (!(error instanceof ChannelClosedError)) throw error;
        }
      }
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
