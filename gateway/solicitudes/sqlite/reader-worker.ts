import { DatabaseSync } from 'node:sqlite';
import { toFailed } from '../../../runtime/workers/messages.ts';
import { serveWorker } from '../../../runtime/workers/worker.ts';
import { LedgerUnavailableError } from '../ledger.ts';
import { resultCode } from './database.ts';
import { type Call, type LedgerProtocol, type Operations, type Result, runOperation } from './messages.ts';
import { reads } from './reads.ts';

/** Data of the reader worker. In WAL mode a reader sees committed data without waiting for the writer. */
export interface ReaderData {
  readonly path: string;
}

serveWorker<LedgerProtocol<ReaderData, void>>(() => {
  let db: DatabaseSync | undefined;
  let operations: Operations = {};

  function answer(call: Call): Result {
    try {
      return { ok: true, value: runOperation(operations, call) };
    } catch (cause) {
      if (resultCode(cause) === undefined) return { ok: false, failure: toFailed(cause) };
      const reason = cause instanceof Error ? cause.message : String(cause);
      const error = new LedgerUnavailableError(`The ledger cannot be read: ${reason}`, { cause });
      return { ok: false, failure: toFailed(error) };
    }
  }

  return {
    requests: {
      open({ path }) {
        db = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
        operations = reads(db);
      },
      run: (calls) => calls.map(answer),
    },
    stop: () => db?.close(),
  };
});
