import { type Acceptance, type LedgerBounds, LedgerFullError, type Solicitud } from '../ledger.ts';
import { rowSize } from '../row-size.ts';
import { type Row, solicitudColumns, toSolicitud } from '../rows.ts';
import { Batches } from './batches.ts';
import type { Database } from './database.ts';

/** Maximum accepts that wait for the database at a time. Beyond it requests are refused as if the ledger were full. */
const maxWaiting = 10_000;

// Earlier items of the batch count as kept. Concurrent commits of other gateways are not visible, so a batch may exceed
// the bounds.
const insert = `
  WITH kept AS (SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(bytes), 0) AS bytes FROM archivero.totals),
  acceptances AS (
    SELECT item.*, kept.rows + nth <= $2
        AND kept.bytes + sum(size) OVER (ORDER BY nth) <= $3 AS fits
    FROM kept, json_to_recordset($1) AS item(
      nth BIGINT, size BIGINT, id TEXT, service TEXT, operation TEXT, request TEXT, target TEXT, formato TEXT, idioma TEXT,
      caller TEXT, "requestId" TEXT, traceparent TEXT, "replyToken" TEXT, "acceptedAt" BIGINT, "expiresAt" BIGINT,
      key TEXT, "retryOf" TEXT)),
  inserted AS (
    INSERT INTO archivero.requests (id, service, operation, request, target, formato, idioma, caller, request_id,
      traceparent, witness, accepted_at, expires_at, key, retry_of, due_at, state, attempts, interruptions, history)
    SELECT id, service, operation, request, target, formato, idioma, caller, "requestId",
      traceparent, "replyToken", "acceptedAt", "expiresAt", key, "retryOf", "acceptedAt", 'aceptada', 0, 0,
      jsonb_build_array(jsonb_build_object('state', 'aceptada', 'at', "acceptedAt"))
    FROM acceptances WHERE fits ORDER BY nth ON CONFLICT DO NOTHING RETURNING id)
  SELECT acceptances.id, CASE WHEN inserted.id IS NOT NULL THEN 'accepted' WHEN fits THEN 'taken' ELSE 'full' END AS outcome
  FROM acceptances LEFT JOIN inserted ON inserted.id = acceptances.id ORDER BY nth`;

// A second statement, because the first does not see rows that others committed while it ran.
const selectKeys = `SELECT ${solicitudColumns('archivero.ledger')} FROM archivero.requests
  JOIN unnest($1::text[], $2::text[]) AS acceptances(caller, key) USING (caller, key)`;

// Writes the value that is there, which is synced to disk as any other.
const probe = `
  WITH kept AS (SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(bytes), 0) AS bytes FROM archivero.totals),
  touched AS (UPDATE archivero.ledger SET id = id)
  SELECT kept.rows < $1 AND kept.bytes <= $2 AS room FROM kept`;

interface Outcome {
  readonly id: string;
  readonly outcome: 'accepted' | 'taken' | 'full';
}

/** Commits requests in batches, within the bounds. */
export function createAcceptances(database: Database, { maxRows, maxBytes }: LedgerBounds) {
  const full = () =>
    new LedgerFullError(`The ledger keeps ${maxRows} requests and ${maxBytes} bytes at most`);

  async function withKeys(keyed: readonly Acceptance[]): Promise<readonly Solicitud[]> {
    if (keyed.length === 0) return [];
    const values = [keyed.map(({ caller }) => caller), keyed.map(({ key }) => key)];
    return (await database.query<Row>(selectKeys, values)).map(toSolicitud);
  }

  const batches = new Batches<Acceptance, Solicitud | undefined>({
    idOf: ({ id }) => id,
    bytesOf: rowSize,
    run: async (acceptances) => {
      const items = acceptances.map((acceptance, index) => {
        const { view, ...rest } = acceptance;
        return { nth: index + 1, size: rowSize(acceptance), ...rest, ...view };
      });
      const outcomes = await database.query<Outcome>(insert, [JSON.stringify(items), maxRows, maxBytes]);
      const refused = acceptances.filter((_, index) => outcomes[index]?.outcome !== 'accepted');
      const known = await withKeys(refused.filter(({ key }) => key !== undefined));
      return acceptances.map(({ caller, key }, index) => {
        const outcome = outcomes[index]?.outcome;
        if (outcome === 'accepted') return undefined;
        const row = known.find((each) => each.caller === caller && each.key === key);
        if (row !== undefined) return row;
        if (outcome === 'taken') return new Error('This id is taken');
        return full();
      });
    },
  });

  return {
    /** Returns the row that already has the request's key; undefined when the request was committed. */
    accept: async (acceptance: Acceptance): Promise<Solicitud | undefined> => {
      if (batches.waiting >= maxWaiting) {
        throw new LedgerFullError(`${batches.waiting} requests already wait for the ledger`);
      }
      return batches.add(acceptance);
    },
    probe: async (): Promise<void> => {
      const [answer] = await database.query<{ room: boolean }>(probe, [maxRows, maxBytes]);
      if (!answer?.room) throw full();
    },
  };
}
