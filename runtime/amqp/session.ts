import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib';
import { connectTo } from './connect.ts';

/** One connection, from its setup to its end. Everything made on it ends with it. */
export interface Session {
  /** Aborted at the end of the connection, with the reason. */
  readonly signal: AbortSignal;
  /** The broker's version: `3.10.8`. */
  readonly brokerVersion: string;
  /** Opens a vital channel: when it closes, the whole connection is dropped. */
  openChannel(): Promise<Channel>;
  /** `survives` returns whether an error ends only this channel. Default: it drops the connection. */
  openConfirmChannel(survives?: (error: Error) => boolean): Promise<ConfirmChannel>;
  /** Closes a vital channel; the connection stays. */
  closeChannel(channel: Channel): void;
  /**
   * Runs `use` on a channel of its own, which may fail without harm to the others. Rejects with `SpareChannelTimeout`
   * after `timeoutMs`.
   */
  onSpareChannel<Result>(timeoutMs: number, use: (channel: Channel) => Promise<Result>): Promise<Result>;
  /** Ends this connection at once; its link opens another. */
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
  /** Called when the setup is done. */
  onReady(): void;
  /**
   * Called with the reason of an alarm, during which the broker reads no published messages; with `undefined` when it
   * ends.
   */
  onBlocked(reason: string | undefined): void;
  /** When aborted, the session closes in order, or is cut after 1 s. */
  readonly stopping: AbortSignal;
}

/** Long enough to detect and delete a queue without a leader (topology.ts). */
const setupTimeoutMs = 30_000;
const closeTimeoutMs = 1_000;

/**
 * Connects, sets up, and runs until the connection ends; always rejects, with the reason of the end.
 *
 * One signal ends the session. Everything that can end it (errors, `close` without an error as after stop_app, a
 * closed channel, a time-out, a suspended broker) aborts the signal, which destroys the socket and settles all waits.
 * So nothing depends on amqplib's promises, which may stay pending when a connection dies.
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
    // amqplib sends the connection's close ahead of frames that its channels have not sent yet, such as
    // acknowledgements.
    const open = [...channels];
    channels.clear();
    await Promise.allSettled(open.map((channel) => channel.close()));
    await ready.close().catch(end);
  };
  options.stopping.addEventListener('abort', stop, { once: true });

  try {
    const handshake = endAfter(options.handshakeTimeoutMs, 'The handshake');
    const model = await Promise.race([connectTo(options.url, { name: options.name, signal }), ended]);
    clearTimeout(handshake);

    let blocked: string | undefined;
    const tellBlocked = (reason: string | undefined): void => {
      blocked = reason;
      if (ready !== undefined) options.onBlocked(reason);
    };
    model.on('error', end);
    model.on('close', (error) => end(error ?? new Error('The connection was closed')));
    model.on('blocked', tellBlocked);
    model.on('unblocked', () => tellBlocked(undefined));

    const setup = endAfter(setupTimeoutMs, 'The setup');
    await Promise.race([options.setup(sessionOf(model, channels, signal, end)), ended]);
    clearTimeout(setup);
    // The connection may have ended in the same read that finished the setup.
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

/** @param vital receives the channels that the session depends on */
function sessionOf(
  model: ChannelModel,
  vital: Set<Channel>,
  signal: AbortSignal,
  end: (reason: Error) => void,
): Session {
  const live = <Kind extends Channel>(channel: Kind, survives = (_error: Error) => false): Kind => {
    vital.add(channel);
    channel.on('error', (error: Error) => {
      if (survives(error)) vital.delete(channel);
      else end(error);
    });
    channel.on('close', () => {
      if (vital.has(channel)) end(new Error('A channel was closed'));
    });
    return channel;
  };
  return {
    signal,
    brokerVersion: String(model.connection.serverProperties.version),
    openChannel: async () => live(await model.createChannel()),
    openConfirmChannel: async (survives) => live(await model.createConfirmChannel(), survives),
    closeChannel(channel) {
      vital.delete(channel);
      // The channel may be closed already, or hang: it ends with the connection.
      channel.close().catch(() => {});
    },
    async onSpareChannel(timeoutMs, use) {
      const work = async (): Promise<Awaited<ReturnType<typeof use>>> => {
        const channel = await model.createChannel();
        // A channel's failure also rejects the promise of the failed operation.
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
