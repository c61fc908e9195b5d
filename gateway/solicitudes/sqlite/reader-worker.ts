import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import { LedgerUnavailableError } from '../ledger.ts';
import { resultCode } from './database.ts';
import { type Call, call, type Operations, type Result, toFailure } from './messages.ts';
import { reads } from './reads.ts';
import { serve } from './worker.ts';

/** The thread that reads. In WAL mode a reader sees what was committed and waits for no writer. */
export interface ReaderData {
  readonly path: string;
}

serve(() => {
  const { path } = workerData as ReaderData;
  const db = new DatabaseSync(path, { readOnly: true, timeout: 1000 });
  const operations: Operations = reads(db);

  function answer(asked: Call): Result {
    try {
      return { ok: true, value: call(operations, asked) };
    } catch (cause) {
      if (resultCode(cause) === undefined) return { ok: false, failure: toFailure(cause) };
      const why = cause instanceof Error ? cause.message : String(cause);
      const error = new LedgerUnavailableError(`The ledger cannot be read: ${why}`, { cause });
      return { ok: false, failure: toFailure(error) };
    }
  }

  return { hello: undefined, run: (calls) => calls.map(answer), close: () => db.close() };
});
