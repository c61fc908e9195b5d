import type { Logger } from 'pino';
import { type Link, type LinkState, openLink } from './link.ts';
import {
  openPublishChannel,
  type Publication,
  type PublishChannel,
  PublishError,
} from './publish-channel.ts';
import type { Session } from './session.ts';

export { type Publication, PublishError, type PublishFailure } from './publish-channel.ts';

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

interface Connection {
  readonly session: Session;
  channel: PublishChannel;
  /** Since when, by the monotonic clock. */
  channelSince: number;
  renewing: boolean;
}

/** Minimum age at which a channel is replaced by another one. */
const channelLifeMs = 1_000;
const notFound = 404;

/** Publishes over a connection of its own; one that also consumed would not be read under an alarm. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { url, name, log, declare, confirmTimeoutMs = 2_000, maxInFlight = 512 } = options;
  const listeners = new Set<() => void>();
  let link: Link | undefined;
  let current: Connection | undefined;

  const openChannel = (session: Session): Promise<PublishChannel> =>
    openPublishChannel(session, { confirmTimeoutMs, maxInFlight, onNack: () => void renewChannel(session) });

  async function setup(session: Session): Promise<void> {
    const channel = await openChannel(session);
    await declare(session);
    session.signal.throwIfAborted();
    session.signal.addEventListener('abort', () => {
      current = undefined;
    });
    current = { session, channel, channelSince: performance.now(), renewing: false };
  }

  /**
   * A channel that was told that a quorum queue is full refuses all that is meant for it, by itself, until it is told
   * otherwise; and when the limit is lifted nobody tells it (seen with RabbitMQ 3.10.8). Only another channel can say
   * whether the queue takes messages now.
   */
  async function renewChannel(session: Session): Promise<void> {
    const connection = current;
    if (connection?.session !== session || connection.renewing) return;
    if (performance.now() - connection.channelSince < channelLifeMs) return;
    connection.renewing = true;
    try {
      const channel = await openChannel(session);
      connection.channel.retire();
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
      return usableOrThrow().channel.publish(publication);
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
