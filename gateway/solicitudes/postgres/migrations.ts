import type { Client } from 'pg';
import { LedgerUnavailableError } from '../ledger.ts';

/** Advisory lock ("ARCH") under which gateways that start together migrate one after the other. */
const migrationLock = 0x41524348;

/**
 * The schema's steps; `archivero.migrations` records the applied ones. A released step is never edited, and steps only
 * add: during a rolling update the old version of the gateway goes on working.
 *
 * The schema follows sqlite/migrations.ts, which explains it. `totals` is kept by statement-level triggers. Its rows are
 * always locked in one order, after those of `requests`, so that two gateways never deadlock. Ids compare by bytes.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE archivero.ledger (id TEXT NOT NULL, lost_before BIGINT NOT NULL DEFAULT 0);
  INSERT INTO archivero.ledger VALUES (left(replace(gen_random_uuid()::text, '-', ''), 16));

  CREATE TABLE archivero.requests (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    service TEXT COLLATE "C" NOT NULL,
    operation TEXT NOT NULL,
    request TEXT NOT NULL,
    target TEXT NOT NULL,
    formato TEXT NOT NULL,
    idioma TEXT NOT NULL,
    caller TEXT COLLATE "C" NOT NULL,
    request_id TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    witness TEXT NOT NULL,
    accepted_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    key TEXT COLLATE "C",
    retry_of TEXT,
    due_at BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL
      CHECK (state IN ('aceptada', 'encolada', 'completada', 'fallida', 'vencida', 'cancelada')),
    attempts INTEGER NOT NULL,
    published_at BIGINT,
    interruptions INTEGER NOT NULL,
    closed_at BIGINT,
    history JSONB NOT NULL,
    answer_status INTEGER,
    answer_headers JSON,
    answer_body BYTEA,
    CHECK ((closed_at IS NULL) = (state IN ('aceptada', 'encolada')))
  ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
  CREATE INDEX requests_due ON archivero.requests (service, due_at, seq) WHERE closed_at IS NULL;
  CREATE INDEX requests_queued ON archivero.requests (service, due_at) WHERE state = 'encolada';
  CREATE INDEX requests_expiry ON archivero.requests (expires_at) WHERE closed_at IS NULL;
  CREATE INDEX requests_closed ON archivero.requests (closed_at) WHERE closed_at IS NOT NULL;
  CREATE INDEX requests_listed ON archivero.requests (caller, state, id);
  CREATE UNIQUE INDEX requests_key ON archivero.requests (caller, key) WHERE key IS NOT NULL;

  CREATE TABLE archivero.totals (
    service TEXT COLLATE "C" PRIMARY KEY,
    rows BIGINT NOT NULL,
    open BIGINT NOT NULL,
    bytes BIGINT NOT NULL
  );
  CREATE FUNCTION archivero.count_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO archivero.totals AS t
      SELECT service, count(*), count(*), sum(octet_length(request)) FROM added GROUP BY service ORDER BY service
      ON CONFLICT (service) DO UPDATE
        SET rows = t.rows + excluded.rows, open = t.open + excluded.open, bytes = t.bytes + excluded.bytes;
    RETURN NULL;
  END $$;
  CREATE FUNCTION archivero.count_closed() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO archivero.totals AS t
      SELECT now.service, 0, -count(*), coalesce(sum(octet_length(now.answer_body)), 0)
      FROM old_rows AS was JOIN new_rows AS now USING (seq)
      WHERE was.closed_at IS NULL AND now.closed_at IS NOT NULL
      GROUP BY now.service ORDER BY now.service
      ON CONFLICT (service) DO UPDATE SET open = t.open + excluded.open, bytes = t.bytes + excluded.bytes;
    RETURN NULL;
  END $$;
  CREATE FUNCTION archivero.count_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO archivero.totals AS t
      SELECT service, -count(*), -count(*) FILTER (WHERE closed_at IS NULL),
        -sum(octet_length(request) + coalesce(octet_length(answer_body), 0))
      FROM forgotten GROUP BY service ORDER BY service
      ON CONFLICT (service) DO UPDATE
        SET rows = t.rows + excluded.rows, open = t.open + excluded.open, bytes = t.bytes + excluded.bytes;
    RETURN NULL;
  END $$;
  CREATE TRIGGER request_accepted AFTER INSERT ON archivero.requests
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION archivero.count_accepted();
  CREATE TRIGGER request_closed AFTER UPDATE ON archivero.requests
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION archivero.count_closed();
  CREATE TRIGGER request_forgotten AFTER DELETE ON archivero.requests
    REFERENCING OLD TABLE AS forgotten FOR EACH STATEMENT EXECUTE FUNCTION archivero.count_forgotten();
  `,
  // As in SQLite, the whole row counts. The lock keeps rows from changing during the recount.
  `
  LOCK TABLE archivero.requests IN SHARE ROW EXCLUSIVE MODE;
  CREATE OR REPLACE FUNCTION archivero.count_accepted() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO archivero.totals AS t
      SELECT service, count(*), count(*), sum(400 + octet_length(request) + octet_length(target) + octet_length(caller)
        + octet_length(request_id) + octet_length(traceparent) + octet_length(witness)
        + coalesce(octet_length(key), 0) + coalesce(octet_length(retry_of), 0))
      FROM added GROUP BY service ORDER BY service
      ON CONFLICT (service) DO UPDATE
        SET rows = t.rows + excluded.rows, open = t.open + excluded.open, bytes = t.bytes + excluded.bytes;
    RETURN NULL;
  END $$;
  CREATE OR REPLACE FUNCTION archivero.count_closed() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO archivero.totals AS t
      SELECT now.service, 0, -count(*),
        sum(coalesce(octet_length(now.answer_headers::text) + octet_length(now.answer_body), 0))
      FROM old_rows AS was JOIN new_rows AS now USING (seq)
      WHERE was.closed_at IS NULL AND now.closed_at IS NOT NULL
      GROUP BY now.service ORDER BY now.service
      ON CONFLICT (service) DO UPDATE SET open = t.open + excluded.open, bytes = t.bytes + excluded.bytes;
    RETURN NULL;
  END $$;
  CREATE OR REPLACE FUNCTION archivero.count_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO archivero.totals AS t
      SELECT service, -count(*), -count(*) FILTER (WHERE closed_at IS NULL),
        -sum(400 + octet_length(request) + octet_length(target) + octet_length(caller)
        + octet_length(request_id) + octet_length(traceparent) + octet_length(witness)
        + coalesce(octet_length(key), 0) + coalesce(octet_length(retry_of), 0)
          + coalesce(octet_length(answer_headers::text) + octet_length(answer_body), 0))
      FROM forgotten GROUP BY service ORDER BY service
      ON CONFLICT (service) DO UPDATE
        SET rows = t.rows + excluded.rows, open = t.open + excluded.open, bytes = t.bytes + excluded.bytes;
    RETURN NULL;
  END $$;
  UPDATE archivero.totals AS t SET bytes = (
    SELECT coalesce(sum(400 + octet_length(r.request) + octet_length(r.target) + octet_length(r.caller)
        + octet_length(r.request_id) + octet_length(r.traceparent) + octet_length(r.witness)
        + coalesce(octet_length(r.key), 0) + coalesce(octet_length(r.retry_of), 0)
        + coalesce(octet_length(r.answer_headers::text) + octet_length(r.answer_body), 0)), 0)
    FROM archivero.requests AS r WHERE r.service = t.service);
  `,
];

/** Migrates the schema `archivero` in one transaction. */
export async function migrate(client: Client): Promise<void> {
  await client.query('BEGIN');
  await client.query(`SELECT pg_advisory_xact_lock(${migrationLock})`);
  // Checked first: a role may use the schema without the right to create one.
  const existing = await client.query("SELECT to_regclass('archivero.migrations') AS it");
  if (existing.rows[0].it === null) {
    await client.query('CREATE SCHEMA IF NOT EXISTS archivero');
    await client.query(
      'CREATE TABLE archivero.migrations (version INTEGER PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now())',
    );
  }
  const applied = await client.query('SELECT coalesce(max(version), 0) AS version FROM archivero.migrations');
  const { version } = applied.rows[0] as { version: number };
  if (version > migrations.length) {
    throw new LedgerUnavailableError(
      `The ledger has schema version ${version}, made by a newer Archivero; this version supports ${migrations.length}`,
    );
  }
  for (const [index, step] of migrations.entries()) {
    if (index < version) continue;
    await client.query(step);
    await client.query('INSERT INTO archivero.migrations (version) VALUES ($1)', [index + 1]);
  }
  await client.query('COMMIT');
}
