import { DatabaseSync } from 'node:sqlite';
import type { Postgres } from '../../support/servers/postgres.ts';

export interface LedgerRow {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  /** Number of final states in its history. */
  readonly ends: number;
  readonly body: Buffer | undefined;
}

/** Reads accepted requests from the ledger's storage, without the gateway. */
export interface LedgerReader {
  /** Number of open rows, up to the row number `upTo`; undefined while the storage cannot be read. */
  open(upTo?: number): Promise<number | undefined>;
  /** Number of the newest row. */
  last(): Promise<number | undefined>;
  /** Committed state of a row. */
  state(id: string): Promise<string | undefined>;
  /** All rows, and the integrity of the storage, `ok` if it is sound. Called after the gateways have ended. */
  all(): Promise<{ readonly integrity: string; readonly rows: readonly LedgerRow[] }>;
}

const isOpen = 'closed_at IS NULL';
const kept = 'id, state, attempts, history, answer_body';

export function sqliteLedgerReader(file: string): LedgerReader {
  const openReadOnly = (): DatabaseSync => new DatabaseSync(file, { readOnly: true, timeout: 1000 });
  async function one(sql: string, ...values: (string | number)[]): Promise<unknown> {
    try {
      using db = openReadOnly();
      return Object.values(db.prepare(sql).get(...values) ?? {})[0];
    } catch {
      return undefined;
    }
  }
  return {
    open: async (upTo = Number.MAX_SAFE_INTEGER) =>
      numberOrNothing(await one(`SELECT count(*) FROM requests WHERE ${isOpen} AND rowid <= ?`, upTo)),
    last: async () => numberOrNothing(await one('SELECT ifnull(max(rowid), 0) FROM requests')),
    state: async (id) => (await one('SELECT state FROM requests WHERE id = ?', id))?.toString(),
    async all() {
      using db = openReadOnly();
      const integrity = String(Object.values(db.prepare('PRAGMA integrity_check').get() ?? {})[0]);
      return { integrity, rows: db.prepare(`SELECT ${kept} FROM requests`).all().map(rowOf) };
    },
  };
}

export function postgresLedgerReader(postgres: Postgres, url: string): LedgerReader {
  async function one(sql: string): Promise<unknown> {
    try {
      const [row] = await postgres.query(url, sql);
      return Object.values(row ?? {})[0];
    } catch {
      return undefined;
    }
  }
  const table = 'archivero.requests';
  return {
    open: async (upTo) =>
      numberOrNothing(await one(`SELECT count(*) FROM ${table} WHERE ${isOpen} AND seq <= ${upTo ?? 'seq'}`)),
    last: async () => numberOrNothing(await one(`SELECT coalesce(max(seq), 0) FROM ${table}`)),
    state: async (id) => (await one(`SELECT state FROM ${table} WHERE id = '${id}'`))?.toString(),
    async all() {
      const rows = await postgres.query(url, `SELECT ${kept} FROM ${table}`);
      return { integrity: 'ok', rows: rows.map(rowOf) };
    },
  };
}

function rowOf(row: Record<string, unknown>): LedgerRow {
  const { history, answer_body: body } = row;
  const steps = (typeof history === 'string' ? JSON.parse(history) : history) as { state: string }[];
  return {
    id: String(row['id']),
    state: String(row['state']),
    attempts: Number(row['attempts']),
    ends: steps.filter(({ state }) => state !== 'aceptada' && state !== 'encolada').length,
    body: body instanceof Uint8Array ? Buffer.from(body) : undefined,
  };
}

function numberOrNothing(value: unknown): number | undefined {
  return value === undefined ? undefined : Number(value);
}
