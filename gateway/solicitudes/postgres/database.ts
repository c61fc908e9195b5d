import pg from 'pg';
import { within } from '../../../runtime/timeout.ts';
import { LedgerUnavailableError } from '../ledger.ts';

/** Connections per gateway: each kind of write runs one batch at a time, so a few are enough. */
const poolSize = 8;
const connectMs = 2_000;
/** The server ends a statement after this; the client stops waiting for a server that does not a little later. */
const statementMs = 4_000;
const queryMs = 5_000;
const maxAttempts = 5;
const ignore = (): void => undefined;

/** Returns the connection settings. The URL may add more, such as `?sslmode=verify-full`. */
export function connectionConfig(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    fallback_application_name: 'archivero gateway',
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    query_timeout: queryMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** Tells how to create a database that can hold every name. `template0`, because others fix encoding and locale. */
export const newDatabase = "CREATE DATABASE archivero ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0";

/** Runs statements, each in a transaction of its own. */
export interface Database {
  /** Rejects with `LedgerUnavailableError`, or with PostgreSQL's error for invalid values. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Waits for pending statements. */
  end(): Promise<void>;
}

export function createDatabase(url: string): Database {
  const pool = new pg.Pool({
    ...connectionConfig(url),
    // pg's own timeout would fire at once after this process was stopped (SIGSTOP), even if the answer has arrived.
    query_timeout: 0,
    max: poolSize,
    // 202 means on disk, so a commit waits for the sync whatever the server's default. JIT compilation does not pay for
    // short statements. A lock is waited for as long as a statement may take.
    onConnect: async (client) => {
      const prepared = client.query('SET synchronous_commit = on; SET jit = off; SET lock_timeout = 0');
      // Unbounded, a server that hangs now would block a pool connection for ever, and every statement that waits for it.
      if ((await within(connectMs, prepared)) === undefined)
        throw new LedgerUnavailableError(`No answer from PostgreSQL in ${connectMs} ms`);
    },
  });
  // An idle connection broke. The pool has already removed it and opens another when needed.
  pool.on('error', ignore);

  async function run<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) {
    const client = await pool.connect();
    // The query rejects with the same error.
    client.on('error', ignore);
    let failure: Error | undefined;
    try {
      const result = await within(queryMs, client.query<Row>(text, [...values]));
      if (result === undefined)
        throw new LedgerUnavailableError(`No answer from PostgreSQL in ${queryMs} ms`);
      return result.rows;
    } catch (thrown) {
      failure = thrown as Error;
      throw thrown;
    } finally {
      client.off('error', ignore);
      // After a failure the pool discards the connection.
      client.release(failure);
    }
  }

  return {
    query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await run<Row>(text, values);
        } catch (thrown) {
          if (!isConflict(thrown) || attempt === maxAttempts) throw ledgerError(thrown);
        }
      }
    },
    end: () => pool.end(),
  };
}

/** Returns the SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) or the system's error code. */
function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** Returns whether a deadlock or serialization failure rolled the statement back, so that it may be repeated. */
function isConflict(thrown: unknown): boolean {
  return ['40P01', '40001'].includes(codeOf(thrown));
}

/** Maps errors: classes 22 and 23 concern the values; any other means that the ledger is unavailable. */
export function ledgerError(thrown: unknown): unknown {
  if (thrown instanceof LedgerUnavailableError || /^2[23]...$/.test(codeOf(thrown))) return thrown;
  return new LedgerUnavailableError(`The ledger cannot be used: ${messageOf(thrown)}`, { cause: thrown });
}

/** A host name with several addresses fails with an AggregateError, which has no message. */
function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(messageOf).join('; ');
  return thrown instanceof Error ? thrown.message : String(thrown);
}
