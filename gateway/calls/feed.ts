import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ServerStreamMethod } from '../../runtime/method.ts';
import { type FeedClock, type FeedMessage, FeedSession } from './feed-session.ts';
import type { Transport } from './transport.ts';

/** A service's change feed. Its request is empty, and a message without a clock is ignored. */
export type FeedMethod = ServerStreamMethod<
  object,
  Omit<FeedMessage, 'reloj'> & { readonly reloj: FeedClock | undefined }
>;

export interface Feed {
  /** Undefined while disconnected. */
  readonly session: FeedSession | undefined;
  stop(): void;
}

export interface FeedOptions {
  readonly transport: Transport;
  readonly method: FeedMethod;
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
export function createFeed({ transport, method, log, now }: FeedOptions): Feed {
  const stopped = new AbortController();
  const { signal } = stopped;
  const { address } = transport;
  let session: FeedSession | undefined;

  async function readFeed(): Promise<void> {
    const outcome = await transport.stream(
      { method, request: {} },
      { deadlineMs: silenceMs, idleMs: silenceMs, signal, requestId: 'feed', traceparent: '' },
    );
    if (!outcome.ok) return;
    for await (const message of outcome.response) {
      const { reloj, noVigiladas = [] } = message;
      if (reloj === undefined) continue;
      session ??= new FeedSession(reloj);
      session.hear({ ...message, reloj }, now());
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
