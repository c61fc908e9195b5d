import type { DatabaseSync } from 'node:sqlite';
import { estados, type Solicitud, type SolicitudFilter } from '../ledger.ts';
import { solicitudColumns, toSolicitud } from '../rows.ts';
import { type AnswerBytes, toAnswer } from './answer-bytes.ts';

const columns = solicitudColumns('ledger');

/** Creates the read operations of the ledger. Their own connection keeps reads from waiting for an fsync. */
export function reads(db: DatabaseSync) {
  const get = db.prepare(`SELECT ${columns} FROM requests WHERE id = ?`);
  const answer = db.prepare(
    `SELECT answer_status, answer_headers, answer_body FROM requests WHERE id = ? AND answer_status IS NOT NULL`,
  );
  const withKey = db.prepare(`SELECT ${columns} FROM requests WHERE caller = ? AND key = ?`);
  // One state at a time: the index yields its page in order, however many rows have other states. Any text is less than a
  // blob, which stands for no bound.
  const list = db.prepare(
    `SELECT ${columns} FROM requests WHERE caller = :caller AND state = :state AND id < ifnull(:before, x'')
     ORDER BY id DESC LIMIT :limit`,
  );
  // All callers and states: by the index of unique ids.
  const listAll = db.prepare(
    `SELECT ${columns} FROM requests WHERE id < ifnull(:before, x'') ORDER BY id DESC LIMIT :limit`,
  );
  // All callers, one state: the newest ids of each caller, from the index alone.
  const listIds = db.prepare(
    `SELECT id FROM requests WHERE caller = :caller AND state = :state AND id < ifnull(:before, x'')
     ORDER BY id DESC LIMIT :limit`,
  );
  // Skips from caller to caller in the index of the lists, however many rows each has.
  const callers = db.prepare(
    `WITH RECURSIVE callers (caller) AS (
       SELECT min(caller) FROM requests
       UNION ALL SELECT (SELECT min(caller) FROM requests WHERE caller > callers.caller) FROM callers WHERE caller IS NOT NULL
     ) SELECT caller FROM callers WHERE caller IS NOT NULL`,
  );
  const nextDue = db.prepare(
    'SELECT min(due_at) AS due_at FROM requests WHERE service = ? AND closed_at IS NULL',
  );
  const oldest = db.prepare(
    'SELECT accepted_at FROM requests WHERE closed_at IS NULL ORDER BY expires_at LIMIT 1',
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
    withKey(caller: string, key: string): Solicitud | undefined {
      const row = withKey.get(caller, key);
      return row && toSolicitud(row);
    },
    list({ caller, state, before: below, limit }: SolicitudFilter): Solicitud[] {
      const before = below ?? null;
      if (caller !== undefined) {
        return (state === undefined ? estados : [state])
          .flatMap((of) => list.all({ caller, state: of, before, limit }).map(toSolicitud))
          .sort((a, b) => (a.id < b.id ? 1 : -1))
          .slice(0, limit);
      }
      if (state === undefined) return listAll.all({ before, limit }).map(toSolicitud);
      return callers
        .all()
        .flatMap((row) => listIds.all({ caller: String(row['caller']), state, before, limit }))
        .map((row) => String(row['id']))
        .sort()
        .reverse()
        .slice(0, limit)
        .flatMap((id) => get.all(id).map(toSolicitud));
    },
    nextDue(service: string): number | undefined {
      const at = nextDue.get(service)?.['due_at'];
      return typeof at === 'number' ? at : undefined;
    },
    oldest(): number | undefined {
      const at = oldest.get()?.['accepted_at'];
      return typeof at === 'number' ? at : undefined;
    },
    countOpen(): Record<string, number> {
      return Object.fromEntries(open.all().map((row) => [String(row['service']), Number(row['open'])]));
    },
  };
}

export type Reads = ReturnType<typeof reads>;
