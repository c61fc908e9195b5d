import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ServerStreamMethod } from '../../runtime/method.ts';
import { FeedSession, type Tidings } from './feed-session.ts';
import type { Transport } from './transport.ts';

/** How a service tells of changes: as data, like a method. */
export interface FeedDefinition<Request = unknown, Message = unknown> {
  readonly method: ServerStreamMethod<Request, Message>;
  readonly request: Request;
  /** Undefined for what is no message of a feed. */
  read(message: Message): Tidings | undefined;
}

export interface Feed {
  /** Undefined while nothing is heard. */
  readonly session: FeedSession | undefined;
  stop(): void;
}

export interface FeedOptions {
  readonly transport: Transport;
  readonly definition: FeedDefinition;
  readonly log: Logger;
  readonly now: () => number;
}

/** From the end of one session to the next attempt. */
const pauseMs = 500;
/** A service says something four times a second. */
const silenceMs = 2_000;
/** Folders that a line of the log names. */
const mostNamed = 5;

/** Hears the feed of one address, and begins a new session whenever it was cut. */
export function createFeed({ transport, definition, log, now }: FeedOptions): Feed {
  const stopped = new AbortController();
  const { signal } = stopped;
  const { method, request, read } = definition;
  const { address } = transport;
  let session: FeedSession | undefined;

  async function hear(): Promise<void> {
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
      const some = noVigiladas.slice(0, mostNamed).map(({ carpeta }) => carpeta);
      log.info(
        { address, folders: noVigiladas.length, some },
        'folders that are not watched: answers about them are not kept',
      );
    }
  }

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      const why = await hear().catch((error: unknown) => error);
      if (session !== undefined) log.debug({ address, err: why }, 'the feed has ended');
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
