import { DatabaseSync } from 'node:sqlite';

export interface LedgerRow {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  /** How many of its history's states are final. */
  readonly ends: number;
  readonly body: Buffer | undefined;
}

/** How many requests are open, as the ledger's file says, beside the gateway that has it. Undefined while it is locked. */
export function openInLedger(file: string): number | undefined {
  return look(file, (db) => Number(db.prepare(countOpen).get()?.['open']));
}

/** The same, of those only that are in it now; asked again and again it tells when they are all closed. */
export function watchOpen(file: string): () => number | undefined {
  let last: number | undefined;
  return () =>
    look(file, (db) => {
      last ??= Number(db.prepare('SELECT max(rowid) AS last FROM requests').get()?.['last']);
      return Number(db.prepare(`${countOpen} AND rowid <= ?`).get(last)?.['open']);
    });
}

/** The committed state of one request. */
export function readState(file: string, id: string): string | undefined {
  return look(file, (db) =>
    db.prepare('SELECT state FROM requests WHERE id = ?').get(id)?.['state']?.toString(),
  );
}

const countOpen = 'SELECT count(*) AS open FROM requests WHERE closed_at IS NULL';

function look<Found>(file: string, query: (db: DatabaseSync) => Found): Found | undefined {
  try {
    using db = openReadOnly(file);
    return query(db);
  } catch {
    return undefined;
  }
}

/** All that the file holds, and what SQLite says of its soundness: `ok`. For when its gateway has ended. */
export function readLedger(file: string): {
  readonly integrity: string;
  readonly rows: readonly LedgerRow[];
} {
  using db = openReadOnly(file);
  const integrity = String(Object.values(db.prepare('PRAGMA integrity_check').get() ?? {})[0]);
  const rows = db.prepare('SELECT id, state, attempts, history, answer_body FROM requests').all();
  return {
    integrity,
    rows: rows.map(({ id, state, attempts, history, answer_body: body }) => {
      const steps = JSON.parse(String(history)) as { state: string }[];
      const ends = steps.filter((step) => step.state !== 'aceptada' && step.state !== 'encolada').length;
      return {
        id: String(id),
        state: String(state),
        attempts: Number(attempts),
        ends,
        body: body instanceof Uint8Array ? Buffer.from(body) : undefined,
      };
    }),
  };
}

function openReadOnly(file: string): DatabaseSync {
  return new DatabaseSync(file, { readOnly: true, timeout: 1000 });
}
