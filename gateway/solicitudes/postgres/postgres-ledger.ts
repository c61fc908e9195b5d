import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import type { RenderedAnswer } from '../../http/rendered-answer.ts';
import {
  type Acceptance,
  type Change,
  type Closing,
  type Expired,
  type Ledger,
  type LedgerListener,
  LedgerUnavailableError,
  type Solicitud,
  type SolicitudFilter,
} from '../ledger.ts';
import { createListeners } from '../listeners.ts';
import { type Bounds, createAcceptances } from './acceptances.ts';
import { connectionConfig, createDatabase, type Database, ledgerError, newDatabase } from './database.ts';
import { migrate } from './migrations.ts';
import { type Notices, openNotices } from './notices.ts';
import { reads } from './reads.ts';
import { writes } from './writes.ts';

export interface PostgresLedgerOptions extends Bounds {
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
 * A ledger in a PostgreSQL database, which any number of gateways may share; each notifies the others of its changes.
 * While the database is down, calls reject within seconds with `LedgerUnavailableError`.
 */
class PostgresLedger implements Ledger {
  readonly id: string;
  readonly #database: Database;
  readonly #acceptances: ReturnType<typeof createAcceptances>;
  readonly #reads: ReturnType<typeof reads>;
  readonly #writes: ReturnType<typeof writes>;
  readonly #listeners = createListeners();
  readonly #notices: Notices;
  readonly #inFlight = new Set<Promise<unknown>>();
  #stopped: Promise<void> | undefined;

  constructor(id: string, { url, log, ...bounds }: PostgresLedgerOptions) {
    this.id = id;
    this.#database = createDatabase(url);
    this.#acceptances = createAcceptances(this.#database, bounds);
    this.#reads = reads(this.#database);
    this.#writes = writes(this.#database);
    this.#notices = openNotices(url, this.#listeners, log);
  }

  /** Runs a call unless the ledger is closed. `stop` waits for it. */
  #run<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#stopped !== undefined) {
      return Promise.reject(new LedgerUnavailableError('The ledger is closed'));
    }
    const running = call();
    const settled = running.catch(() => undefined).finally(() => this.#inFlight.delete(settled));
    this.#inFlight.add(settled);
    return running;
  }

  #tell(changes: readonly Change[]): void {
    this.#listeners.changed(changes);
    this.#notices.tell(changes);
  }

  accept(acceptance: Acceptance): Promise<Solicitud | undefined> {
    return this.#run(async () => {
      const known = await this.#acceptances.accept(acceptance);
      const { id, service } = acceptance;
      if (known === undefined) this.#tell([{ id, service, state: 'aceptada' }]);
      return known;
    });
  }

  get(id: string): Promise<Solicitud | undefined> {
    return this.#run(() => this.#reads.get(id));
  }

  withKey(caller: string, key: string): Promise<Solicitud | undefined> {
    return this.#run(() => this.#reads.withKey(caller, key));
  }

  list(listing: SolicitudFilter): Promise<readonly Solicitud[]> {
    return this.#run(() => this.#reads.list(listing));
  }

  answer(id: string): Promise<RenderedAnswer | undefined> {
    return this.#run(() => this.#reads.answer(id));
  }

  published(id: string, at: number, dueAt: number): Promise<void> {
    return this.#run(async () => {
      const row = await this.#writes.published(id, at, dueAt);
      if (row !== undefined) this.#tell([{ ...row, state: 'encolada' }]);
    });
  }

  unpublish(at: number): Promise<void> {
    return this.#run(() => this.#writes.unpublish(at));
  }

  interrupted(id: string, dueAt: number): Promise<number> {
    return this.#run(() => this.#writes.interrupted(id, dueAt));
  }

  defer(id: string, dueAt: number): Promise<void> {
    return this.#run(() => this.#writes.defer(id, dueAt));
  }

  deferQueued(service: string, now: number, dueAt: number): Promise<void> {
    return this.#run(() => this.#writes.deferQueued(service, now, dueAt));
  }

  makeDue(service: string, dueAt: number): Promise<void> {
    return this.#run(() => this.#writes.makeDue(service, dueAt));
  }

  claim(service: string, now: number, until: number, limit: number): Promise<readonly Solicitud[]> {
    return this.#run(() => this.#writes.claim(service, now, until, limit));
  }

  nextDue(service: string): Promise<number | undefined> {
    return this.#run(() => this.#reads.nextDue(service));
  }

  oldest(): Promise<number | undefined> {
    return this.#run(() => this.#reads.oldest());
  }

  countOpen(): Promise<Readonly<Record<string, number>>> {
    return this.#run(() => this.#reads.countOpen());
  }

  close(id: string, closing: Closing): Promise<'closed' | 'was-closed' | 'unknown'> {
    return this.#run(async () => {
      const row = await this.#writes.close(id, closing);
      if (typeof row === 'string') return row;
      this.#tell([{ ...row, state: closing.state }]);
      return 'closed';
    });
  }

  expire(now: number): Promise<readonly Expired[]> {
    return this.#run(async () => {
      const expired = await this.#writes.expire(now);
      this.#tell(expired.map(({ id, service }) => ({ id, service, state: 'vencida' })));
      return expired;
    });
  }

  purge(closedBefore: number): Promise<number> {
    return this.#run(() => this.#writes.purge(closedBefore));
  }

  probe(): Promise<void> {
    return this.#run(() => this.#acceptances.probe());
  }

  subscribe(listener: LedgerListener): () => void {
    return this.#listeners.add(listener);
  }

  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      await Promise.all(this.#inFlight);
      await this.#notices.stop();
      await this.#database.end();
    })();
    return this.#stopped;
  }
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
  // No timeouts: creating an index on a large table may take longer than any other statement.
  const client = new pg.Client({ ...connectionConfig(url), statement_timeout: 0, query_timeout: 0 });
  client.on('error', () => undefined);
  try {
    await client.connect();
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
      return new PostgresLedger(await prepare(options), options);
    } catch (thrown) {
      if (performance.now() - startedAt < patienceMs(thrown)) await delay(retryMs);
      else throw ledgerError(thrown);
    }
  }
}
