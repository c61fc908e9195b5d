import { toFailed } from '../../../runtime/workers/messages.ts';
import { LedgerFullError, LedgerUnavailableError } from '../ledger.ts';
import { resultCode, type Storage } from './database.ts';
import { type Call, type Operations, type Result, runOperation } from './messages.ts';

// TOOBIG, CONSTRAINT, MISMATCH, RANGE: the statement is at fault, not the storage.
const ownFaults = new Set<number | undefined>([18, 19, 20, 25]);

/**
 * Runs a batch of calls in one transaction with one fsync. A call with an error of its own fails alone. A storage failure
 * rolls back the whole batch, which then fails with `LedgerUnavailableError`.
 *
 * After a failed fsync the kernel may show pages that the disk does not have. The connection is kept and the transaction
 * rolled back: the next commit overwrites the same places of the WAL, so its fsync covers them. Reopening the file would be
 * wrong: SQLite's recovery would take the doubtful frames for a commit, chain later commits to them by checksum, and a
 * power cut would lose them all.
 *
 * A new process cannot avoid that recovery. Before its first commit it therefore checkpoints the inherited WAL into the
 * database, which syncs it, and truncates the WAL. A request reported as failed may survive this way: it is answered,
 * though no client knows its id.
 */
export function groupCommit(
  { db, check }: Pick<Storage, 'db' | 'check'>,
  operations: Operations,
): (calls: readonly Call[]) => Result[] {
  const begin = db.prepare('BEGIN IMMEDIATE');
  const commit = db.prepare('COMMIT');
  const rollback = db.prepare('ROLLBACK');
  let inherited = true;

  function emptyInheritedWal(): void {
    db.exec('PRAGMA busy_timeout = 0'); // do not wait for a backup in progress: the next batch tries again
    try {
      inherited = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] !== 0;
    } finally {
      db.exec('PRAGMA busy_timeout = 1000');
    }
  }

  function attempt(call: Call): Result {
    try {
      return { ok: true, value: runOperation(operations, call) };
    } catch (error) {
      const code = resultCode(error);
      const alone = error instanceof LedgerFullError || code === undefined || ownFaults.has(code);
      if (!alone || !db.isTransaction) throw error;
      return { ok: false, failure: toFailed(error) };
    }
  }

  return (calls) => {
    try {
      check();
      if (inherited) emptyInheritedWal();
      begin.run();
      const results = calls.map(attempt);
      commit.run();
      return results;
    } catch (cause) {
      if (db.isTransaction) rollback.run(); // some errors have already rolled back
      const reason = cause instanceof Error ? cause.message : String(cause);
      const failure = toFailed(
        new LedgerUnavailableError(`The ledger cannot be written: ${reason}`, { cause }),
      );
      return calls.map(() => ({ ok: false, failure }));
    }
  };
}
