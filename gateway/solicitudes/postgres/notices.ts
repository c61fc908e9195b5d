import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Logger } from 'pino';
import { backOff } from '../../../runtime/amqp/back-off.ts';
import { within } from '../../../runtime/timeout.ts';
import type { Change, LedgerListener } from '../ledger.ts';
import { connectionConfig } from './database.ts';

/** Notifies the other gateways of this database about changes, and receives theirs (LISTEN/NOTIFY). */
export interface Notices {
  /** Never fails. A lost notification is found by the waiters' polling. */
  tell(changes: readonly Change[]): void;
  stop(): Promise<void>;
}

const channel = 'archivero';
/** Interval of liveness queries: a connection that only listens does not notice a dead server. */
const aliveMs = 5_000;
/** A payload is limited to 8000 bytes, and a change takes about 70. */
const changesPerNotice = 80;
const maxWaiting = 10_000;
/** Bound on the closing handshake: a frozen server does not answer it. */
const endMs = 1_000;

/** `[sender, [[id, service, state], …]]` */
type Payload = readonly [string, readonly (readonly [string, string, Change['state']])[]];

/**
 * Opens a connection of its own, and reopens it until stopped. A notification is sent after the change's commit and
 * apart from it: PostgreSQL commits transactions with NOTIFY one at a time, and accepts must not queue there.
 */
export function openNotices(url: string, listener: LedgerListener, log: Logger): Notices {
  const ownId = randomBytes(8).toString('hex');
  const stopping = new AbortController();
  let waiting: Change[] = [];
  let wake: (() => void) | undefined;
  let current: pg.Client | undefined;

  function receive(payload: string | undefined): void {
    try {
      const [sender, changes] = JSON.parse(payload ?? '') as Payload;
      if (sender !== ownId) listener.changed(changes.map(([id, service, state]) => ({ id, service, state })));
    } catch (err) {
      log.warn({ err }, 'ledger notification unreadable; ignored');
    }
  }

  /** Sends pending changes and checks the connection periodically; throws when it is lost. */
  async function serve(client: pg.Client, lost: Promise<unknown>): Promise<void> {
    while (!stopping.signal.aborted) {
      const batch = waiting.splice(0, changesPerNotice).map(({ id, service, state }) => [id, service, state]);
      if (batch.length > 0)
        await client.query('SELECT pg_notify($1, $2)', [channel, JSON.stringify([ownId, batch])]);
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
    current = client;
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    client.on('error', lost.reject);
    client.on('end', () => lost.reject(new Error('the connection has ended')));
    client.on('notification', ({ payload }) => receive(payload));
    try {
      await client.connect();
      // Notifications are worthless after a crash, so they need not wait for the disk.
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
        log.warn({ err }, 'ledger notifications disconnected; reconnecting');
        await backOff(attempt, stopping.signal);
      }
    }
  }

  const running = run();
  return {
    tell: (changes) => {
      waiting.push(...changes);
      // Waiters poll as well, so the oldest unsent changes may be dropped.
      if (waiting.length > maxWaiting) waiting = waiting.slice(-maxWaiting);
      wake?.();
    },
    stop: async () => {
      stopping.abort();
      wake?.();
      const ended = running.then(() => true);
      // With a query in flight, end() closes the socket without waiting for a server that hangs.
      if ((await within(endMs, ended)) === undefined) void current?.end().catch(() => undefined);
      await running;
    },
  };
}
