import type { DatabaseSync } from 'node:sqlite';
import {
  type Acceptance,
  type Closing,
  type Expired,
  type LedgerBounds,
  LedgerFullError,
  type Solicitud,
} from '../ledger.ts';
import { rowSize } from '../row-size.ts';
import { solicitudColumns, toSolicitud } from '../rows.ts';
import type { AnswerBytes } from './answer-bytes.ts';

/** Rows changed by one transaction of a sweep, so that no accept waits long behind it. */
export const sweepRows = 500;
/** Fewer rows when purging: SQLite walks the pages of every answer's body. */
export const purgeRows = 100;

const columns = solicitudColumns('ledger');

const append = (state: string, at: string) =>
  `json_insert(history, '$[#]', json_object('state', ${state}, 'at', ${at}))`;

/**
 * Creates the write operations of the ledger. Each runs in the transaction of a batch (group-commit.ts) and makes at most
 * one writing statement: SQLite undoes a failed statement by itself, so none needs a savepoint. A sweep returns how many
 * rows it changed; after a full batch it must be run again.
 */
export function writes(db: DatabaseSync, { maxRows, maxBytes }: LedgerBounds) {
  const totals = db.prepare(
    'SELECT ifnull(sum(rows), 0) AS rows, ifnull(sum(bytes), 0) AS bytes FROM totals',
  );
  const accept = db.prepare(
    `INSERT INTO requests (id, service, operation, request, target, formato, idioma, caller, request_id, traceparent,
       witness, accepted_at, expires_at, key, retry_of, due_at, state, attempts, interruptions, history)
     VALUES (:id, :service, :operation, :request, :target, :formato, :idioma, :caller, :requestId, :traceparent,
       :replyToken, :acceptedAt, :expiresAt, :key, :retryOf, :acceptedAt, 'aceptada', 0, 0,
       json_array(json_object('state', 'aceptada', 'at', :acceptedAt)))`,
  );
  // The history holds changes of state: publishing again adds an attempt, not an entry.
  const published = db.prepare(
    `UPDATE requests SET attempts = attempts + 1, due_at = :dueAt, state = 'encolada',
       published_at = max(:at, (SELECT lost_before FROM ledger)),
       history = CASE state WHEN 'encolada' THEN history ELSE ${append("'encolada'", ':at')} END
     WHERE id = :id AND closed_at IS NULL RETURNING service`,
  );
  // Above every `published_at`, even if an earlier clock was ahead.
  const unpublish = db.prepare(
    `UPDATE ledger SET lost_before = max(lost_before, :at,
       (SELECT ifnull(max(published_at), 0) + 1 FROM requests WHERE state = 'encolada'))`,
  );
  const interrupted = db.prepare(
    `UPDATE requests SET interruptions = interruptions + 1, due_at = :dueAt WHERE id = :id AND closed_at IS NULL
     RETURNING interruptions`,
  );
  const interruptions = db.prepare('SELECT interruptions FROM requests WHERE id = ?');
  const defer = db.prepare('UPDATE requests SET due_at = :dueAt WHERE id = :id AND closed_at IS NULL');
  // A deferred row must not match again, even when `dueAt` has already passed.
  const deferQueued = db.prepare(
    `UPDATE requests SET due_at = :dueAt WHERE rowid IN (
       SELECT rowid FROM requests WHERE service = :service AND state = 'encolada' AND due_at <= :now
         AND due_at <> :dueAt AND published_at >= (SELECT lost_before FROM ledger) LIMIT ${sweepRows})`,
  );
  const makeDue = db.prepare(
    `UPDATE requests SET due_at = :dueAt WHERE rowid IN (
       SELECT rowid FROM requests WHERE service = :service AND closed_at IS NULL AND due_at > :dueAt LIMIT ${sweepRows})`,
  );
  // The index gives the order by due time, then age, so that a page costs a page in any backlog.
  const dueRows = `FROM requests WHERE service = :service AND closed_at IS NULL AND due_at <= :now
     ORDER BY due_at, rowid LIMIT :limit`;
  const due = db.prepare(`SELECT ${columns} ${dueRows}`);
  const claim = db.prepare(`UPDATE requests SET due_at = :until WHERE rowid IN (SELECT rowid ${dueRows})`);
  const close = db.prepare(
    `UPDATE requests SET state = :state, closed_at = :at, history = ${append(':state', ':at')},
       answer_status = :status, answer_headers = :headers, answer_body = :body
     WHERE id = :id AND closed_at IS NULL RETURNING service`,
  );
  const known = db.prepare('SELECT 1 FROM requests WHERE id = ?');
  const expire = db.prepare(
    `UPDATE requests SET state = 'vencida', closed_at = :now, history = ${append("'vencida'", ':now')}
     WHERE rowid IN (
       SELECT rowid FROM requests WHERE closed_at IS NULL AND expires_at <= :now ORDER BY expires_at LIMIT ${sweepRows})
     RETURNING id, service, request_id`,
  );
  const purge = db.prepare(
    `DELETE FROM requests WHERE rowid IN (
       SELECT rowid FROM requests WHERE closed_at IS NOT NULL AND closed_at < :closedBefore LIMIT ${purgeRows})`,
  );
  const withKey = db.prepare(`SELECT ${columns} FROM requests WHERE caller = ? AND key = ?`);
  // As many pages as a large request takes: on a full disk a single page may still fit into a free one.
  const scribble = db.prepare('INSERT INTO scratch VALUES (zeroblob(65536))');
  const erase = db.prepare('DELETE FROM scratch');

  function assertRoom(bytes: number): void {
    const kept = totals.get();
    if (Number(kept?.['rows']) >= maxRows)
      throw new LedgerFullError(`The ledger keeps ${maxRows} requests, its limit`);
    if (Number(kept?.['bytes']) + bytes > maxBytes) {
      throw new LedgerFullError(`The ledger has no room in its ${maxBytes} bytes`);
    }
  }

  return {
    accept(acceptance: Acceptance): Solicitud | undefined {
      const { view, key, retryOf, ...rest } = acceptance;
      const known = key === undefined ? undefined : withKey.get(rest.caller, key);
      if (known !== undefined) return toSolicitud(known);
      assertRoom(rowSize(acceptance));
      const { target, formato, idioma } = view;
      accept.run({ ...rest, key: key ?? null, retryOf: retryOf ?? null, target, formato, idioma });
      return undefined;
    },
    /** Returns the service of the changed row. */
    published(id: string, at: number, dueAt: number): string | undefined {
      return published.get({ id, at, dueAt })?.['service']?.toString();
    },
    unpublish(at: number): void {
      unpublish.run({ at });
    },
    interrupted(id: string, dueAt: number): number {
      const row = interrupted.get({ id, dueAt }) ?? interruptions.get(id);
      return Number(row?.['interruptions'] ?? 0);
    },
    defer(id: string, dueAt: number): void {
      defer.run({ id, dueAt });
    },
    deferQueued(service: string, now: number, dueAt: number): number {
      return Number(deferQueued.run({ service, now, dueAt }).changes);
    },
    makeDue(service: string, dueAt: number): number {
      return Number(makeDue.run({ service, dueAt }).changes);
    },
    claim(service: string, now: number, until: number, limit: number): Solicitud[] {
      const rows = due.all({ service, now, limit });
      if (rows.length > 0) claim.run({ service, now, until, limit });
      return rows.map(toSolicitud);
    },
    /** Returns the service of the closed row. */
    close(
      id: string,
      { state, answer, at }: ClosingBytes,
    ): { readonly service: string } | 'was-closed' | 'unknown' {
      const row = close.get({
        id,
        state,
        at,
        status: answer?.status ?? null,
        headers: answer ? JSON.stringify(answer.headers) : null,
        body: answer?.body ?? null,
      });
      if (row !== undefined) return { service: String(row['service']) };
      return known.get(id) ? 'was-closed' : 'unknown';
    },
    expire(now: number): Expired[] {
      return expire.all({ now }).map((row) => ({
        id: String(row['id']),
        service: String(row['service']),
        requestId: String(row['request_id']),
      }));
    },
    purge(closedBefore: number): number {
      return Number(purge.run({ closedBefore }).changes);
    },
    probe(): void {
      assertRoom(0);
      scribble.run();
      erase.run();
    },
  };
}

export interface ClosingBytes extends Omit<Closing, 'answer'> {
  readonly answer?: AnswerBytes;
}

export type Writes = ReturnType<typeof writes>;
