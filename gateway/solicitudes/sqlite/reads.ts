import type { DatabaseSync } from 'node:sqlite';
import type { Solicitud } from '../ledger.ts';
import { type AnswerBytes, columns, toAnswer, toSolicitud } from './rows.ts';

/** What is asked of the ledger. It runs on a connection of its own, so that no read waits for an fsync. */
export function reads(db: DatabaseSync) {
  const get = db.prepare(`SELECT ${columns} FROM requests WHERE id = ?`);
  const answer = db.prepare(
    `SELECT answer_status, answer_headers, answer_body FROM requests WHERE id = ? AND answer_status IS NOT NULL`,
  );
  // By due time and then by age: the index gives this order, so that a page costs a page however long the backlog is.
  const due = db.prepare(
    `SELECT ${columns} FROM requests WHERE service = ? AND closed_at IS NULL AND due_at <= ?
     ORDER BY due_at, rowid LIMIT ?`,
  );
  const nextDue = db.prepare(
    'SELECT min(due_at) AS due_at FROM requests WHERE service = ? AND closed_at IS NULL',
  );
  const open = db.prepare('SELECT service, open FROM totals WHERE open > 0');

  return {
    get(id: string): Solicitud | undefined {
      const row = get.get(id);
      return row && toSolicitud(row);
    },
    answer(id: string): AnswerBytes | undefined {
      const row = answer.get(id);
      return row && toAnswer(row);
    },
    due(service: string, now: number, limit: number): Solicitud[] {
      return due.all(service, now, limit).map(toSolicitud);
    },
    nextDue(service: string): number | undefined {
      const at = nextDue.get(service)?.['due_at'];
      return typeof at === 'number' ? at : undefined;
    },
    open(): Record<string, number> {
      return Object.fromEntries(open.all().map((row) => [String(row['service']), Number(row['open'])]));
    },
  };
}

export type Reads = ReturnType<typeof reads>;
