import pg from 'pg';
import { within } from '../../../runtime/timeout.ts';
import { LedgerUnavailableError } from '../ledger.ts';

/** Connections of one gateway: writes go in batches, one of each kind at a time, so a few are enough. */
const poolSize = 8;
const connectMs = 2_000;
/** The server ends a statement after this, and we stop waiting for a server that does not a little later. */
const statementMs = 4_000;
const queryMs = 5_000;
const mostAttempts = 5;
const ignore = (): void => undefined;

/** The connections' settings; `postgres://…` may say more: `?sslmode=verify-full`. */
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

/** Runs statements, each a transaction of its own. */
export interface Database {
  /** Rejects with `LedgerUnavailableError`, or with PostgreSQL's own error when the values are at fault. */
  query<Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Waits for what is under way. */
  end(): Promise<void>;
}

export function createDatabase(url: string): Database {
  const pool = new pg.Pool({
    ...connectionConfig(url),
    // The driver's own limit would be over at once after this process was stopped, whatever has been answered meanwhile.
    query_timeout: 0,
    max: poolSize,
    // 202 means: on disk. Whatever the server's default is, a commit waits for that. Statements are short: compiling
    // them (jit) costs more than it gives.
    onConnect: async (client) => {
      const prepared = client.query('SET synchronous_commit = on; SET jit = off');
      // Without a bound a server that says no more now would keep a place in the pool for ever, and whoever waits for it.
      if ((await within(connectMs, prepared)) === undefined)
        throw new LedgerUnavailableError(`No answer from PostgreSQL in ${connectMs} ms`);
    },
  });
  // A connection that broke while nobody used it; the pool has forgotten it already, and makes another one.
  pool.on('error', ignore);

  async function run<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[]) {
    const client = await pool.connect();
    // What breaks the connection is told by the query, too.
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
      // With a failure it is not used again.
      client.release(failure);
    }
  }

  return {
    query: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await run<Row>(text, values);
        } catch (thrown) {
          if (!isConflict(thrown) || attempt === mostAttempts) throw ledgerError(thrown);
        }
      }
    },
    end: () => pool.end(),
  };
}

/** The SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), or the system's code. */
function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}

/** Two transactions were in each other's way (deadlock, serialization): nothing happened, and it may be tried again. */
function isConflict(thrown: unknown): boolean {
  return ['40P01', '40001'].includes(codeOf(thrown));
}

/** Classes 22 and 23 are about the values; all else means that the ledger cannot be used now. */
export function ledgerError(thrown: unknown): unknown {
  if (thrown instanceof LedgerUnavailableError || /^2[23]...$/.test(codeOf(thrown))) return thrown;
  return new LedgerUnavailableError(`The ledger cannot be used: ${told(thrown)}`, { cause: thrown });
}

/** A name with several addresses fails with one error for each, and with no message of its own. */
function told(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(told).join('; ');
  return thrown instanceof Error ? thrown.message : String(thrown);
}
