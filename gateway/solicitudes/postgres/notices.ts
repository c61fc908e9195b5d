import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Logger } from 'pino';
import { backOff } from '../../../runtime/amqp/back-off.ts';
import { within } from '../../../runtime/timeout.ts';
import type { Change, LedgerListener } from '../ledger.ts';
import { connectionConfig } from './database.ts';

/** Tells the other gateways on this database what this one changed, and hears them (LISTEN/NOTIFY). */
export interface Notices {
  /** Never fails: a change that could not be told is found by those who look by themselves. */
  tell(changes: readonly Change[]): void;
  stop(): Promise<void>;
}

const channel = 'archivero';
/** A connection that only listens does not notice that its server is gone. */
const aliveMs = 5_000;
/** A payload has less than 8000 bytes, and a change about 70. */
const changesPerNotice = 80;
const mostWaiting = 10_000;
/** A server that is frozen does not say goodbye. */
const endMs = 1_000;

/** `[sender, [[id, service, state], …]]` */
type Payload = readonly [string, readonly (readonly [string, string, Change['state']])[]];

/**
 * Keeps a connection of its own, which is made anew as long as it takes. A notice is sent after the change was committed
 * and apart from it: PostgreSQL lets only one transaction with a NOTIFY commit at a time, and accepting must not wait in
 * that line.
 */
export function openNotices(url: string, listener: LedgerListener, log: Logger): Notices {
  const me = randomBytes(8).toString('hex');
  const stopping = new AbortController();
  let waiting: Change[] = [];
  let wake: (() => void) | undefined;

  function hear(payload: string | undefined): void {
    try {
      const [sender, changes] = JSON.parse(payload ?? '') as Payload;
      if (sender !== me) listener.changed(changes.map(([id, service, state]) => ({ id, service, state })));
    } catch (err) {
      log.warn({ err }, 'a notice of the ledger could not be read');
    }
  }

  /** Sends what waits and asks now and then whether the server is there; ends when it is not. */
  async function serve(client: pg.Client, lost: Promise<unknown>): Promise<void> {
    while (!stopping.signal.aborted) {
      const some = waiting.splice(0, changesPerNotice).map(({ id, service, state }) => [id, service, state]);
      if (some.length > 0)
        await client.query('SELECT pg_notify($1, $2)', [channel, JSON.stringify([me, some])]);
      else await client.query('SELECT 1');
      if (waiting.length > 0) continue;
      if (stopping.signal.aborted) return;
      const woken = Promise.withResolvers<void>();
      wake = woken.resolve;
      const timer = setTimeout(wake, aliveMs);
      await Promise.race([woken.promise, lost]).finally(() => clearTimeout(timer));
    }
  }

  async function session(): Promise<void> {
    const client = new pg.Client(connectionConfig(url));
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    client.on('error', lost.reject);
    client.on('end', () => lost.reject(new Error('the connection has ended')));
    client.on('notification', ({ payload }) => hear(payload));
    try {
      await client.connect();
      // A notice is worth nothing after a crash: it need not wait for the disk.
      await client.query('SET synchronous_commit = off');
      await client.query(`LISTEN ${channel}`);
      listener.missed();
      await serve(client, lost.promise);
    } finally {
      await within(endMs, client.end()).catch(() => undefined);
    }
  }

  async function run(): Promise<void> {
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      const since = performance.now();
      try {
        await session();
      } catch (err) {
        if (performance.now() - since > aliveMs) attempt = 0;
        log.warn({ err }, 'not connected to the ledger for notices; the connection is made anew');
        await backOff(attempt, stopping.signal);
      }
    }
  }

  const running = run();
  return {
    tell: (changes) => {
      waiting.push(...changes);
      // Who misses a notice looks by himself: what cannot be sent is not kept.
      if (waiting.length > mostWaiting) waiting = waiting.slice(-mostWaiting);
      wake?.();
    },
    stop: async () => {
      stopping.abort();
      wake?.();
      await running;
    },
  };
}
