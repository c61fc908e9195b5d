import { DatabaseSync } from 'node:sqlite';
import type { LedgerUrl } from '../../gateway/config.ts';

/**
 * Returns the id of the ledger, which is part of the name of its reply queue. Undefined when it cannot be read; the check
 * of the ledger tells why.
 */
export async function readLedgerId(ledger: LedgerUrl): Promise<string | undefined> {
  try {
    return ledger.kind === 'sqlite' ? idInFile(ledger.path) : await idInPostgres(ledger.url);
  } catch {
    return undefined;
  }
}

function idInFile(path: string): string {
  using db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
  return String(db.prepare('SELECT id FROM ledger').get()?.['id']);
}

async function idInPostgres(url: string): Promise<string> {
  const { default: pg } = await import('pg');
  const { connectionConfig } = await import('../../gateway/solicitudes/postgres/database.ts');
  const client = new pg.Client(connectionConfig(url));
  client.on('error', () => undefined);
  try {
    await client.connect();
    return String((await client.query('SELECT id FROM archivero.ledger')).rows[0]?.id);
  } finally {
    await client.end().catch(() => undefined);
  }
}
