import { createHash } from 'node:crypto';
import { Pool } from 'pg';
import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Limiter, LimitStore } from './store.ts';

const tableName = 'rate_limits';
const schemaName = 'archivero';
const timeoutMs = 2_000;

/**
 * Opens counters in the ledger's database, shared by all gateways of that ledger. While the database is unreachable, each
 * gateway counts by itself. The ledger has already created the schema.
 */
export async function openPostgresStore(url: string, log: Logger): Promise<LimitStore> {
  const pool = new Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    application_name: 'archivero limits',
  });
  pool.on('error', (err) =>
    log.warn({ err }, 'limits: database connection lost; reconnecting at the next use'),
  );
  await makeTable(pool);
  return {
    limiter: ({ name, points, seconds }) => {
      const limiter = new RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        schemaName,
        tableName,
        tableCreated: true,
        keyPrefix: name,
        points,
        duration: seconds,
        // A caller over its limit is refused from memory for the rest of the period, without a query.
        inMemoryBlockOnConsumed: points + 1,
        insuranceLimiter: new RateLimiterMemory({ keyPrefix: name, points, duration: seconds }),
      });
      return byHash(limiter);
    },
    stop: () => pool.end(),
  };
}

async function makeTable(pool: Pool): Promise<void> {
  // The lock keeps two gateways that start together from both creating the table.
  await pool.query(`
    BEGIN;
    SELECT pg_advisory_xact_lock(hashtext('archivero.rate_limits'));
    CREATE TABLE IF NOT EXISTS ${schemaName}.${tableName} (
      key varchar(255) PRIMARY KEY, points integer NOT NULL DEFAULT 0, expire bigint);
    COMMIT`);
}

/** Hashes the keys: a key column has at most 255 characters and must not reveal a caller. */
function byHash(limiter: RateLimiterPostgres): Limiter {
  const hash = (key: string | number) => createHash('sha256').update(String(key)).digest('base64url');
  return {
    points: limiter.points,
    consume: (key, cost) => limiter.consume(hash(key), cost),
    get: (key) => limiter.get(hash(key)),
    delete: (key) => limiter.delete(hash(key)),
  };
}
