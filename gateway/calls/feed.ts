import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ServerStreamMethod } from '../../runtime/method.ts';
import { type FeedMessage, FeedSession } from './feed-session.ts';
import type { Transport } from './transport.ts';

/** A service's change feed, described as data like a method. */
export interface FeedDefinition<Request = unknown, Message = unknown> {
  readonly method: ServerStreamMethod<Request, Message>;
  readonly request: Request;
  /** Returns undefined for a message that is not a feed message. */
  read(message: Message): FeedMessage | undefined;
}

export interface Feed {
  /** Undefined while disconnected. */
  readonly session: FeedSession | undefined;
  stop(): void;
}

export interface FeedOptions {
  readonly transport: Transport;
  readonly definition: FeedDefinition;
  readonly log: Logger;
  readonly now: () => number;
}

/** Pause between the end of a session and the next attempt. */
const pauseMs = 500;
/** Timeout without messages: a service sends four beats per second. */
const silenceMs = 2_000;
/** Maximum number of folders named in a log line. */
const maxNamed = 5;

/** Follows the feed of an address, with a new session after each interruption. */
export function createFeed({ transport, definition, log, now }: FeedOptions): Feed {
  const stopped = new AbortController();
  const { signal } = stopped;
  const { method, request, read } = definition;
  const { address } = transport;
  let session: FeedSession | undefined;

  async function readFeed(): Promise<void> {
    const outcome = await transport.stream(
      { method, request },
      { deadlineMs: silenceMs, idleMs: silenceMs, signal, requestId: 'feed', traceparent: '' },
    );
    if (!outcome.ok) return;
    for await (const message of outcome.response) {
      const tidings = read(message);
      if (tidings === undefined) continue;
      session ??= new FeedSession(tidings);
      session.hear(tidings, now());
      const { noVigiladas = [] } = tidings;
      if (noVigiladas.length === 0) continue;
      const some = noVigiladas.slice(0, maxNamed).map(({ carpeta }) => carpeta);
      log.info(
        { address, folders: noVigiladas.length, some },
        'folders not watched; answers about them are not cached',
      );
    }
  }

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      const why = await readFeed().catch((error: unknown) => error);
      if (session !== undefined)
        log.debug({ address, err: why }, 'feed ended; its answers are no longer valid');
      session?.end();
      session = undefined;
      await delay(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  void follow();
  return {
    get session() {
      return session;
    },
    stop: () => stopped.abort(),
  };
}
