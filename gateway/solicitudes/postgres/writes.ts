import type { Closing, Expired, Solicitud } from '../ledger.ts';
import { type Row, solicitudColumns, toSolicitud } from '../rows.ts';
import { Batches } from './batches.ts';
import type { Database } from './database.ts';

/** Rows changed by one statement of a sweep, so that no other statement waits long for it. */
const sweepRows = 500;

/**
 * Locks the open rows of a batch (`given`) in the ledger's order. Two gateways may change the same rows at a time, one
 * publishing and the other storing answers; a common order keeps them from deadlocking.
 */
const locked = `locked AS MATERIALIZED (
    SELECT seq FROM archivero.requests JOIN given USING (id) WHERE closed_at IS NULL ORDER BY seq FOR UPDATE OF requests)`;
const append = (state: string) => `r.history || jsonb_build_object('state', ${state}, 'at', given.at)`;

// The history holds changes of state: publishing again adds an attempt, not an entry.
const publish = `
  WITH given AS (SELECT * FROM json_to_recordset($1) AS item(id TEXT, at BIGINT, "dueAt" BIGINT)), ${locked}
  UPDATE archivero.requests AS r
  SET attempts = r.attempts + 1, due_at = given."dueAt", state = 'encolada',
    published_at = greatest(given.at, (SELECT lost_before FROM archivero.ledger)),
    history = CASE r.state WHEN 'encolada' THEN r.history ELSE ${append("'encolada'")} END
  FROM given, locked WHERE r.id = given.id AND r.seq = locked.seq RETURNING r.id, r.service`;

const defer = `
  WITH given AS (SELECT * FROM json_to_recordset($1) AS item(id TEXT, "dueAt" BIGINT)), ${locked}
  UPDATE archivero.requests AS r SET due_at = given."dueAt"
  FROM given, locked WHERE r.id = given.id AND r.seq = locked.seq`;

// The bodies are one binary value, and each row has its offset and size in it.
const close = `
  WITH given AS (
    SELECT * FROM json_to_recordset($1) AS item(
      id TEXT, state TEXT, at BIGINT, status INTEGER, headers JSON, start INTEGER, size INTEGER)),
  ${locked},
  closed AS (
    UPDATE archivero.requests AS r
    SET state = given.state, closed_at = given.at, history = ${append('given.state')},
      answer_status = given.status, answer_headers = given.headers,
      answer_body = CASE WHEN given.status IS NOT NULL THEN substring($2::bytea FROM given.start + 1 FOR given.size) END
    FROM given, locked WHERE r.id = given.id AND r.seq = locked.seq RETURNING r.id, r.service)
  SELECT id, service, EXISTS (SELECT FROM archivero.requests AS r WHERE r.id = given.id) AS known
  FROM given LEFT JOIN closed USING (id)`;

const interrupt = `
  UPDATE archivero.requests SET interruptions = interruptions + 1, due_at = $2 WHERE id = $1 AND closed_at IS NULL
  RETURNING interruptions`;
const selectInterruptions = 'SELECT interruptions FROM archivero.requests WHERE id = $1';
// Above every `published_at`, even if another gateway's clock was ahead.
const unpublish = `
  UPDATE archivero.ledger SET lost_before = greatest(lost_before, $1,
    (SELECT coalesce(max(published_at), 0) + 1 FROM archivero.requests WHERE state = 'encolada'))`;

// Skips rows that another gateway claims at this moment.
const claim = `
  WITH due AS MATERIALIZED (
    SELECT seq, due_at FROM archivero.requests WHERE service = $1 AND closed_at IS NULL AND due_at <= $2
    ORDER BY due_at, seq LIMIT $4 FOR UPDATE SKIP LOCKED),
  claimed AS (
    UPDATE archivero.requests AS r SET due_at = $3 FROM due WHERE r.seq = due.seq RETURNING r.*, due.due_at AS was_due)
  SELECT ${solicitudColumns('archivero.ledger')} FROM claimed ORDER BY was_due, seq`;

// A deferred row must not match again, even when `dueAt` has already passed.
const deferQueued = `
  WITH swept AS MATERIALIZED (
    SELECT seq FROM archivero.requests WHERE service = $1 AND state = 'encolada' AND due_at <= $2 AND due_at <> $3
      AND published_at >= (SELECT lost_before FROM archivero.ledger)
    ORDER BY due_at LIMIT ${sweepRows} FOR UPDATE OF requests)
  UPDATE archivero.requests AS r SET due_at = $3 FROM swept WHERE r.seq = swept.seq RETURNING r.seq`;
const makeDue = `
  WITH swept AS MATERIALIZED (
    SELECT seq FROM archivero.requests WHERE service = $1 AND closed_at IS NULL AND due_at > $2
    ORDER BY due_at LIMIT ${sweepRows} FOR UPDATE)
  UPDATE archivero.requests AS r SET due_at = $2 FROM swept WHERE r.seq = swept.seq RETURNING r.seq`;
const expire = `
  WITH swept AS MATERIALIZED (
    SELECT seq FROM archivero.requests WHERE closed_at IS NULL AND expires_at <= $1
    ORDER BY expires_at LIMIT ${sweepRows} FOR UPDATE SKIP LOCKED)
  UPDATE archivero.requests AS r
  SET state = 'vencida', closed_at = $1, history = r.history || jsonb_build_object('state', 'vencida', 'at', $1::bigint)
  FROM swept WHERE r.seq = swept.seq RETURNING r.id, r.service, r.request_id AS "requestId"`;
const purge = `
  WITH swept AS MATERIALIZED (
    SELECT seq FROM archivero.requests WHERE closed_at IS NOT NULL AND closed_at < $1
    LIMIT ${sweepRows} FOR UPDATE SKIP LOCKED)
  DELETE FROM archivero.requests AS r USING swept WHERE r.seq = swept.seq RETURNING r.seq`;

export interface ChangedRow {
  readonly id: string;
  readonly service: string;
}

/** Creates the write operations of the ledger, except those of acceptances.ts. */
export function writes(database: Database) {
  const publishes = new Batches<
    { readonly id: string; readonly at: number; readonly dueAt: number },
    ChangedRow | undefined
  >({
    idOf: ({ id }) => id,
    run: async (items) => {
      const rows = await database.query<ChangedRow>(publish, [JSON.stringify(items)]);
      return items.map(({ id }) => rows.find((row) => row.id === id));
    },
  });
  const defers = new Batches<{ readonly id: string; readonly dueAt: number }, void>({
    idOf: ({ id }) => id,
    run: async (items) => {
      await database.query(defer, [JSON.stringify(items)]);
      return items.map(() => undefined);
    },
  });
  const closings = new Batches<Closing & { readonly id: string }, ChangedRow | 'was-closed' | 'unknown'>({
    idOf: ({ id }) => id,
    bytesOf: ({ answer }) => answer?.body.length ?? 0,
    run: async (items) => {
      let start = 0;
      const given = items.map(({ id, state, at, answer }) => {
        const size = answer?.body.length ?? 0;
        start += size;
        return { id, state, at, status: answer?.status, headers: answer?.headers, start: start - size, size };
      });
      const bodies = Buffer.concat(items.flatMap(({ answer }) => answer?.body ?? []));
      const rows = await database.query<{ id: string; service: string | null; known: boolean }>(close, [
        JSON.stringify(given),
        bodies,
      ]);
      const byId = new Map(rows.map((row) => [row.id, row]));
      return items.map(({ id }) => {
        const row = byId.get(id);
        if (row !== undefined && row.service !== null) return { id, service: row.service };
        return row?.known ? 'was-closed' : 'unknown';
      });
    },
  });

  /** Repeats a sweep until no row is left. */
  async function sweep<Found extends object>(text: string, values: readonly unknown[]): Promise<Found[]> {
    const all: Found[] = [];
    let batch: readonly Found[];
    do {
      batch = await database.query<Found>(text, values);
      all.push(...batch);
    } while (batch.length === sweepRows);
    return all;
  }

  return {
    published: (id: string, at: number, dueAt: number) => publishes.add({ id, at, dueAt }),
    unpublish: async (at: number): Promise<void> => {
      await database.query(unpublish, [at]);
    },
    interrupted: async (id: string, dueAt: number): Promise<number> => {
      type Found = { readonly interruptions: number };
      const [row] = await database.query<Found>(interrupt, [id, dueAt]);
      const [closed] = row === undefined ? await database.query<Found>(selectInterruptions, [id]) : [];
      return (row ?? closed)?.interruptions ?? 0;
    },
    defer: (id: string, dueAt: number) => defers.add({ id, dueAt }),
    deferQueued: async (service: string, now: number, dueAt: number): Promise<void> => {
      await sweep(deferQueued, [service, now, dueAt]);
    },
    makeDue: async (service: string, dueAt: number): Promise<void> => {
      await sweep(makeDue, [service, dueAt]);
    },
    claim: async (
      service: string,
      now: number,
      until: number,
      limit: number,
    ): Promise<readonly Solicitud[]> =>
      (await database.query<Row>(claim, [service, now, until, limit])).map(toSolicitud),
    close: (id: string, closing: Closing) => closings.add({ ...closing, id }),
    expire: (now: number) => sweep<Expired>(expire, [now]),
    purge: async (closedBefore: number) => (await sweep(purge, [closedBefore])).length,
  };
}
