import type { Logger } from 'pino';
import { createReminder } from '../reminder.ts';
import { backOff } from './back-off.ts';
import { brokerReason } from './refusal.ts';
import { runSession, type Session } from './session.ts';

export type LinkState =
  /** Not connected, or not set up yet. `failure` is the error of the last attempt or connection. */
  | { readonly kind: 'connecting'; readonly failure: string | undefined }
  | { readonly kind: 'ready' }
  /** The broker has an alarm (memory, disk) and reads no published messages. */
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'stopped' };

/** A connection to RabbitMQ that reconnects by itself. */
export interface Link {
  readonly state: LinkState;
  /** Calls the listener with every new state; returns the function that unsubscribes. */
  subscribe(listener: (state: LinkState) => void): () => void;
  /** Closes the connection in order, or cuts it after 1 s. May be called twice. */
  stop(): Promise<void>;
}

export interface LinkOptions {
  /**
   * `amqp://user:password@host:port/vhost?heartbeat=5`; without `heartbeat`, the broker's value applies (60 s).
   */
  readonly url: string;
  /** Name of the connection in the management UI: `archivero mserv1 consumer`. */
  readonly name: string;
  readonly log: Logger;
  /** Called once on every new connection, before the link is `ready`. */
  setup(session: Session): Promise<void>;
  /** Time limit of the TCP, TLS and AMQP handshakes together. Default 5000. */
  readonly handshakeTimeoutMs?: number;
  /** Pause before the same failure is logged again; it doubles each time, up to an hour. Default a minute. */
  readonly remindAfterMs?: number;
}

/** A shorter connection counts as a failed attempt, so that a harmful setup is not repeated at once. */
const steadyMs = 2_000;

/**
 * Connects and sets up, again after every lost connection, until `stop`. Never throws or rejects: a missing broker is
 * a state.
 *
 * The loop replaces amqplib's `recovery`: see docs/decisions/amqp-link.md.
 */
export function openLink(options: LinkOptions): Link {
  const log = options.log.child({ link: options.name });
  const stopping = new AbortController();
  const listeners = new Set<(state: LinkState) => void>();
  let state: LinkState = { kind: 'connecting', failure: undefined };

  const enter = (next: LinkState): void => {
    state = next;
    for (const listener of [...listeners]) listener(next);
  };
  let readyAt = Number.POSITIVE_INFINITY;
  const onReady = (): void => {
    readyAt = performance.now();
    log.info('connected to RabbitMQ');
    enter({ kind: 'ready' });
  };
  const onBlocked = (reason: string | undefined): void => {
    log.warn(
      { reason },
      reason === undefined
        ? 'RabbitMQ accepts messages again'
        : 'RabbitMQ has an alarm; it accepts no messages',
    );
    enter(reason === undefined ? { kind: 'ready' } : { kind: 'blocked', reason });
  };
  const { url, name, setup, handshakeTimeoutMs = 5_000 } = options;
  const session = { url, name, setup, handshakeTimeoutMs, onReady, onBlocked, stopping: stopping.signal };

  const run = async (): Promise<void> => {
    let attempt = 0;
    const reminder = createReminder(options.remindAfterMs);
    while (!stopping.signal.aborted) {
      readyAt = Number.POSITIVE_INFINITY;
      const reason = await runSession(session).catch((error: unknown) => brokerReason(error));
      if (stopping.signal.aborted) break;
      const lasted = performance.now() - readyAt > steadyMs;
      attempt = lasted ? 0 : attempt + 1;
      if (lasted) reminder.clear();
      if (reminder.isDue(reason))
        log.warn({ reason }, 'no connection to RabbitMQ; trying until there is one');
      enter({ kind: 'connecting', failure: reason });
      await backOff(attempt, stopping.signal);
    }
    enter({ kind: 'stopped' });
  };
  const running = run();

  return {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
