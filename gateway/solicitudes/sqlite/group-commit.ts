import { toFailed } from '../../../runtime/workers/messages.ts';
import { LedgerFullError, LedgerUnavailableError } from '../ledger.ts';
import { resultCode, type Storage } from './database.ts';
import { type Call, type Operations, type Result, runCall } from './messages.ts';

// TOOBIG, CONSTRAINT, MISMATCH, RANGE: the statement was wrong, the storage is not.
const ownFaults = new Set<number | undefined>([18, 19, 20, 25]);

/**
 * Runs a batch of calls in one transaction with one fsync. A call that fails by its own fault fails alone; when the
 * storage fails, all of the batch is rolled back and fails with `LedgerUnavailableError`.
 *
 * What a failed commit leaves behind. After a failed fsync the kernel may show pages that the disk does not have. The
 * connection is kept and the transaction rolled back: the next commit writes the same places of the WAL again, so that
 * its fsync covers them. Opening the file anew would be the mistake: SQLite's recovery would take the doubtful frames
 * for a commit, the next commits would be chained to them by their checksums, and be lost with them in a power cut.
 * A new process cannot avoid that recovery; so before its first commit it moves what it found in the WAL into the
 * database, which syncs it, and empties the WAL. A request that was reported as failed may so survive: it is answered,
 * and nobody asks.
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
    db.exec('PRAGMA busy_timeout = 0'); // a backup that is being read is no reason to wait: the next batch tries again
    try {
      inherited = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] !== 0;
    } finally {
      db.exec('PRAGMA busy_timeout = 1000');
    }
  }

  function attempt(asked: Call): Result {
    try {
      return { ok: true, value: runCall(operations, asked) };
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
      if (db.isTransaction) rollback.run(); // some errors roll back by themselves
      const why = cause instanceof Error ? cause.message : String(cause);
      const failure = toFailed(new LedgerUnavailableError(`The ledger cannot be written: ${why}`, { cause }));
      return calls.map(() => ({ ok: false, failure }));
    }
  };
}
