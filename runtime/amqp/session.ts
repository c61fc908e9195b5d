import { type Channel, type ChannelModel, type ConfirmChannel, connect, type SocketOptions } from 'amqplib';
import type { TlsMaterial } from '../tls.ts';
import { corkFrames } from './corked.ts';
import { tlsOfUrl } from './url-tls.ts';

/** One connection, from its setup to its end. All that is made on it ends with it. */
export interface Session {
  /** Aborted at the end, with the reason. */
  readonly signal: AbortSignal;
  /** The version that the broker gives itself: `3.10.8`. */
  readonly brokerVersion: string;
  /** A channel that the connection lives by: if it closes, the whole connection is dropped. */
  openChannel(): Promise<Channel>;
  openConfirmChannel(): Promise<ConfirmChannel>;
  /** Closes one of those, by which the connection does not live any more. */
  closeChannel(channel: Channel): void;
  /**
   * Runs `use` on a channel of its own, which may fail without harm to the others; rejects with `SpareChannelTimeout`
   * past `timeoutMs`.
   */
  onSpareChannel<Result>(timeoutMs: number, use: (channel: Channel) => Promise<Result>): Promise<Result>;
  /** Ends this connection, at once; its link makes another. */
  drop(reason: Error): void;
}

export class SpareChannelTimeout extends Error {
  override readonly name = 'SpareChannelTimeout';
}

export interface SessionOptions {
  readonly url: string;
  readonly name: string;
  readonly handshakeTimeoutMs: number;
  setup(session: Session): Promise<void>;
  /** The setup is done. */
  onReady(): void;
  /** An alarm of the broker: it reads nothing that is published until `undefined` is told. */
  onBlocked(reason: string | undefined): void;
  /** When aborted, the session closes in good order, and is ended after 1 s if that was not possible. */
  readonly stopping: AbortSignal;
}

/** Room for a queue without a leader to be found out and deleted (topology.ts). */
const setupTimeoutMs = 30_000;
const closeTimeoutMs = 1_000;

/**
 * Connects, sets up, and lives until the connection ends for whatever reason, with which it always rejects.
 *
 * One signal is the session's fate. All that can end it (errors, `close` without an error as after stop_app, a channel
 * that closed, a time-out, a frozen broker that must be left) aborts that signal, which destroys the socket and settles
 * all that waits. So nothing depends on amqplib's promises, which stay open when a connection dies at the wrong moment.
 */
export async function runSession(options: SessionOptions): Promise<never> {
  const fate = new AbortController();
  const { signal } = fate;
  const end = (reason: Error): void => fate.abort(reason);
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  ended.catch(() => {});
  const timers = new Set<NodeJS.Timeout>();
  const endAfter = (ms: number, what: string): NodeJS.Timeout => {
    const timer = setTimeout(end, ms, new Error(`${what} took more than ${ms} ms`));
    timers.add(timer);
    return timer;
  };

  let ready: ChannelModel | undefined;
  const channels = new Set<Channel>();
  const stop = async (): Promise<void> => {
    if (ready === undefined) return end(new Error('Stopped'));
    endAfter(closeTimeoutMs, 'Closing');
    // amqplib sends the connection's close past what its channels have not sent yet, such as acknowledgements.
    const open = [...channels];
    channels.clear();
    await Promise.allSettled(open.map((channel) => channel.close()));
    await ready.close().catch(end);
  };
  options.stopping.addEventListener('abort', stop, { once: true });

  try {
    const handshake = endAfter(options.handshakeTimeoutMs, 'The handshake');
    const socket: SocketOptions & TlsMaterial & { signal: AbortSignal } = {
      noDelay: true,
      clientProperties: { connection_name: options.name },
      signal,
      ...tlsOfUrl(options.url),
    };
    const model = await Promise.race([connect(options.url, socket), ended]);
    clearTimeout(handshake);
    corkFrames(model);

    let blocked: string | undefined;
    const tellBlocked = (reason: string | undefined): void => {
      blocked = reason;
      if (ready !== undefined) options.onBlocked(reason);
    };
    model.on('error', end);
    model.on('close', (error) => end(error ?? new Error('Connection closed')));
    model.on('blocked', tellBlocked);
    model.on('unblocked', () => tellBlocked(undefined));

    const setup = endAfter(setupTimeoutMs, 'The setup');
    await Promise.race([options.setup(sessionOf(model, channels, signal, end)), ended]);
    clearTimeout(setup);
    // The connection may have ended in the same read from the socket that finished the setup.
    signal.throwIfAborted();
    ready = model;
    options.onReady();
    if (blocked !== undefined) options.onBlocked(blocked);
    return await ended;
  } finally {
    options.stopping.removeEventListener('abort', stop);
    for (const timer of timers) clearTimeout(timer);
    end(new Error('Given up'));
  }
}

/** `vital` is filled with the channels that the session lives by. */
function sessionOf(
  model: ChannelModel,
  vital: Set<Channel>,
  signal: AbortSignal,
  end: (reason: Error) => void,
): Session {
  const live = <Kind extends Channel>(channel: Kind): Kind => {
    vital.add(channel);
    channel.on('error', end);
    channel.on('close', () => {
      if (vital.has(channel)) end(new Error('A channel was closed'));
    });
    return channel;
  };
  return {
    signal,
    brokerVersion: String(model.connection.serverProperties.version),
    openChannel: async () => live(await model.createChannel()),
    openConfirmChannel: async () => live(await model.createConfirmChannel()),
    closeChannel(channel) {
      vital.delete(channel);
      // It may be closed already, or never be: the end of the connection is the end of both.
      channel.close().catch(() => {});
    },
    async onSpareChannel(timeoutMs, use) {
      const work = async (): Promise<Awaited<ReturnType<typeof use>>> => {
        const channel = await model.createChannel();
        // A channel's failure is also told by the promise of the operation that failed.
        channel.on('error', () => {});
        try {
          return await use(channel);
        } finally {
          channel.close().catch(() => {});
        }
      };
      const late = Promise.withResolvers<never>();
      const tooLate = (): void =>
        late.reject(new SpareChannelTimeout(`No answer from the broker in ${timeoutMs} ms`));
      const timer = setTimeout(tooLate, timeoutMs);
      return Promise.race([work(), late.promise]).finally(() => clearTimeout(timer));
    },
    drop: end,
  };
}
