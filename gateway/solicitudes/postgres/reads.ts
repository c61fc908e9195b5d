import type { RenderedAnswer } from '../../http/rendered-answer.ts';
import { estados, type Solicitud, type SolicitudFilter } from '../ledger.ts';
import { type Row, solicitudColumns, toSolicitud } from '../rows.ts';
import { Batches } from './batches.ts';
import type { Database } from './database.ts';

const columns = solicitudColumns('archivero.ledger');
const selectById = `SELECT ${columns} FROM archivero.requests WHERE id = ANY($1)`;
const selectByKey = `SELECT ${columns} FROM archivero.requests WHERE caller = $1 AND key = $2`;
const selectAnswer = `SELECT answer_status AS status, answer_headers AS headers, answer_body AS body
  FROM archivero.requests WHERE id = $1 AND answer_status IS NOT NULL`;
// One caller and one state at a time: the index yields each page in order, however many other rows there are, and finds
// the callers one after the other.
const selectList = `WITH RECURSIVE callers (caller) AS (
    SELECT coalesce($1::text, (SELECT min(caller) FROM archivero.requests))
    UNION ALL SELECT (SELECT min(caller) FROM archivero.requests WHERE caller > callers.caller)
      FROM callers WHERE callers.caller IS NOT NULL AND $1::text IS NULL
  )
  SELECT page.* FROM callers, unnest($2::text[]) AS wanted(state), LATERAL (
    SELECT ${columns} FROM archivero.requests
    WHERE caller = callers.caller AND state = wanted.state AND ($3::text IS NULL OR id < $3) ORDER BY id DESC LIMIT $4
  ) AS page ORDER BY page.id DESC LIMIT $4`;
const selectNextDue = `SELECT min(due_at) AS due_at FROM archivero.requests WHERE service = $1 AND closed_at IS NULL`;
const selectOldest =
  'SELECT accepted_at AS at FROM archivero.requests WHERE closed_at IS NULL ORDER BY expires_at LIMIT 1';
const selectOpen = 'SELECT service, open FROM archivero.totals WHERE open > 0';

/** Creates the read operations of the ledger. */
export function reads(database: Database) {
  const byId = new Batches<string, Solicitud | undefined>({
    run: async (ids) => {
      const rows = await database.query<Row>(selectById, [[...new Set(ids)]]);
      const found = new Map(rows.map(toSolicitud).map((row) => [row.id, row]));
      return ids.map((id) => found.get(id));
    },
  });

  return {
    get: (id: string) => byId.add(id),
    withKey: async (caller: string, key: string): Promise<Solicitud | undefined> => {
      const [row] = await database.query<Row>(selectByKey, [caller, key]);
      return row && toSolicitud(row);
    },
    list: async ({ caller, state, before, limit }: SolicitudFilter): Promise<readonly Solicitud[]> => {
      const wanted = state === undefined ? estados : [state];
      return (await database.query<Row>(selectList, [caller ?? null, wanted, before, limit])).map(
        toSolicitud,
      );
    },
    answer: async (id: string): Promise<RenderedAnswer | undefined> => {
      const [answer] = await database.query<RenderedAnswer>(selectAnswer, [id]);
      return answer;
    },
    nextDue: async (service: string): Promise<number | undefined> => {
      const [row] = await database.query<{ due_at: string | null }>(selectNextDue, [service]);
      return row === undefined || row.due_at === null ? undefined : Number(row.due_at);
    },
    oldest: async (): Promise<number | undefined> => {
      const [row] = await database.query<{ at: string }>(selectOldest);
      return row && Number(row.at);
    },
    countOpen: async (): Promise<Readonly<Record<string, number>>> => {
      const rows = await database.query<{ service: string; open: string }>(selectOpen);
      return Object.fromEntries(rows.map(({ service, open }) => [service, Number(open)]));
    },
  };
}
