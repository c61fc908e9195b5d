import type { Logger } from 'pino';
import { backOff } from './back-off.ts';
import { runSession, type Session } from './session.ts';

export type LinkState =
  /** Not connected, or not set up yet. `failure` is why the last attempt or connection ended. */
  | { readonly kind: 'connecting'; readonly failure: string | undefined }
  | { readonly kind: 'ready' }
  /** The broker reads nothing that is published: an alarm (memory, disk). */
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'stopped' };

/** A connection to RabbitMQ that heals itself. */
export interface Link {
  readonly state: LinkState;
  /** Tells every new state; gives the function that ends it. */
  subscribe(listener: (state: LinkState) => void): () => void;
  /** Closes it in good order, or after 1 s in any order. May be called twice. */
  stop(): Promise<void>;
}

export interface LinkOptions {
  /** `amqp://user:password@host:port/vhost?heartbeat=5`; without `heartbeat` the broker's value holds (60 s). */
  readonly url: string;
  /** How the management UI calls the connection: `archivero mserv1 consumer`. */
  readonly name: string;
  readonly log: Logger;
  /** Run on every new connection, once, before the link is `ready`. */
  setup(session: Session): Promise<void>;
  /** Bounds TCP, TLS and AMQP handshakes together. Default 5000. */
  readonly handshakeTimeoutMs?: number;
}

/** A connection that lasted less is a failed attempt too, so that a setup which harms it is not repeated in haste. */
const steadyMs = 2_000;

/**
 * Connects, sets up, and does both again whenever the connection ends, until `stop`. Never throws and never rejects:
 * a broker that is away is a state.
 *
 * The loop is our own and not amqplib's `recovery`: see docs/decisions/amqp-link.md.
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
    log.info('Connected to RabbitMQ');
    enter({ kind: 'ready' });
  };
  const onBlocked = (reason: string | undefined): void => {
    log.warn(
      { reason },
      reason === undefined ? 'RabbitMQ accepts messages again' : 'RabbitMQ accepts no messages',
    );
    enter(reason === undefined ? { kind: 'ready' } : { kind: 'blocked', reason });
  };
  const { url, name, setup, handshakeTimeoutMs = 5_000 } = options;
  const session = { url, name, setup, handshakeTimeoutMs, onReady, onBlocked, stopping: stopping.signal };

  const run = async (): Promise<void> => {
    let attempt = 0;
    let told: string | undefined;
    while (!stopping.signal.aborted) {
      readyAt = Number.POSITIVE_INFINITY;
      const reason = await runSession(session).catch((error: unknown) => textOf(error));
      if (stopping.signal.aborted) break;
      const lasted = performance.now() - readyAt > steadyMs;
      attempt = lasted ? 0 : attempt + 1;
      if (lasted || reason !== told)
        log.warn({ reason }, 'No connection to RabbitMQ; trying until there is one');
      told = reason;
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

/** An error's text. That of a refused connection is empty when the host has several addresses. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
