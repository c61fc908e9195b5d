import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import {
  type Acceptance,
  type Change,
  type Closing,
  type Ledger,
  type LedgerBounds,
  LedgerUnavailableError,
} from '../ledger.ts';
import { createListeners } from '../listeners.ts';
import { createAcceptances } from './acceptances.ts';
import { connectionConfig, createDatabase, ledgerError, newDatabase } from './database.ts';
import { migrate } from './migrations.ts';
import { openNotices } from './notices.ts';
import { reads } from './reads.ts';
import { writes } from './writes.ts';

export interface PostgresLedgerOptions extends LedgerBounds {
  /** `postgres://user:password@host:port/database` */
  readonly url: string;
  readonly log: Logger;
}

/** PostgreSQL 13: the schema uses its features. */
const minVersion = 130_000;
/** How long a server that does not listen is awaited. */
const refusedMs = 10_000;
/** How long a server that replays its log after a crash is awaited. */
const recoveryMs = 120_000;
const retryMs = 250;

/**
 * Creates a ledger in a PostgreSQL database, which any number of gateways may share; each notifies the others of its
 * changes. While the database is down, calls reject within seconds with `LedgerUnavailableError`.
 */
function createPostgresLedger(id: string, { url, log, ...bounds }: PostgresLedgerOptions): Ledger {
  const database = createDatabase(url);
  const acceptances = createAcceptances(database, bounds);
  const read = reads(database);
  const write = writes(database);
  const listeners = createListeners();
  const notices = openNotices(url, listeners, log);
  const inFlight = new Set<Promise<unknown>>();
  let stopped: Promise<void> | undefined;

  /** Makes an operation that is refused once the ledger is closed. `stop` waits for its calls. */
  function untilStop<Args extends readonly unknown[], Result>(operation: (...args: Args) => Promise<Result>) {
    return (...args: Args): Promise<Result> => {
      if (stopped !== undefined) return Promise.reject(new LedgerUnavailableError('The ledger is closed'));
      const running = operation(...args);
      const settled = running.catch(() => undefined).finally(() => inFlight.delete(settled));
      inFlight.add(settled);
      return running;
    };
  }

  function tell(changes: readonly Change[]): void {
    listeners.changed(changes);
    notices.tell(changes);
  }

  return {
    id,
    accept: untilStop(async (acceptance: Acceptance) => {
      const known = await acceptances.accept(acceptance);
      const { id, service } = acceptance;
      if (known === undefined) tell([{ id, service, state: 'aceptada' }]);
      return known;
    }),
    get: untilStop(read.get),
    withKey: untilStop(read.withKey),
    list: untilStop(read.list),
    answer: untilStop(read.answer),
    published: untilStop(async (id: string, at: number, dueAt: number) => {
      const row = await write.published(id, at, dueAt);
      if (row !== undefined) tell([{ ...row, state: 'encolada' }]);
    }),
    unpublish: untilStop(write.unpublish),
    interrupted: untilStop(write.interrupted),
    defer: untilStop(write.defer),
    deferQueued: untilStop(write.deferQueued),
    makeDue: untilStop(write.makeDue),
    claim: untilStop(write.claim),
    nextDue: untilStop(read.nextDue),
    oldest: untilStop(read.oldest),
    countOpen: untilStop(read.countOpen),
    close: untilStop(async (id: string, closing: Closing) => {
      const row = await write.close(id, closing);
      if (typeof row === 'string') return row;
      tell([{ ...row, state: closing.state }]);
      return 'closed';
    }),
    expire: untilStop(async (now: number) => {
      const expired = await write.expire(now);
      tell(expired.map(({ id, service }) => ({ id, service, state: 'vencida' })));
      return expired;
    }),
    purge: untilStop(write.purge),
    probe: untilStop(acceptances.probe),
    subscribe: listeners.add,
    stop: () => {
      stopped ??= (async () => {
        await Promise.all(inFlight);
        await notices.stop();
        await database.end();
      })();
      return stopped;
    },
  };
}

/** A server and its database, as `prepare` asks for them. */
interface Server {
  readonly number: number;
  readonly version: string;
  readonly fsync: string;
  readonly encoding: string;
  readonly name: string;
}

/** Migrates the schema and returns the ledger's id. */
async function prepare({ url, log }: PostgresLedgerOptions): Promise<string> {
  // No time limits: creating an index on a large table may take longer than any other statement.
  const client = new pg.Client({ ...connectionConfig(url), statement_timeout: 0, query_timeout: 0 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    // The database or the role may set limits for every session.
    await client.query('SET statement_timeout = 0; SET lock_timeout = 0');
    const { rows } = await client.query(
      `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
         current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding, current_database() AS name`,
    );
    const { number, version, fsync, encoding, name } = rows[0] as Server;
    if (number < minVersion) {
      throw new LedgerUnavailableError(`PostgreSQL ${version} is too old; 13 or newer is needed`);
    }
    if (encoding !== 'UTF8') {
      throw new LedgerUnavailableError(
        `The database ${name} has the encoding ${encoding}, which cannot hold every name. Create one in UTF-8, and set LEDGER_URL to it: ${newDatabase}`,
      );
    }
    if (fsync === 'off') log.warn('PostgreSQL runs with fsync off; a power cut loses accepted requests');
    await migrate(client);
    const ledger = await client.query('SELECT id FROM archivero.ledger');
    return (ledger.rows[0] as { id: string }).id;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Returns how long to wait for a server that fails so, in milliseconds; 0 when waiting does not help. */
function patienceMs(thrown: unknown): number {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ECONNREFUSED') return refusedMs;
  return code === '57P03' ? recoveryMs : 0;
}

/**
 * Opens the ledger of this database, creating or migrating its tables in the schema `archivero`. Rejects with
 * `LedgerUnavailableError` when the database cannot be used.
 */
export async function openPostgresLedger(options: PostgresLedgerOptions): Promise<Ledger> {
  const startedAt = performance.now();
  for (;;) {
    try {
      return createPostgresLedger(await prepare(options), options);
    } catch (thrown) {
      if (performance.now() - startedAt < patienceMs(thrown)) await delay(retryMs);
      else throw ledgerError(thrown);
    }
  }
}
