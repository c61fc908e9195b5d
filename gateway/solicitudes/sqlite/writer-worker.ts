import { serveWorker } from '../../../runtime/workers/worker.ts';
import type { LedgerBounds } from '../ledger.ts';
import { openStorage, type Storage } from './database.ts';
import { groupCommit } from './group-commit.ts';
import type { Call, LedgerProtocol, Result } from './messages.ts';
import { writes } from './writes.ts';

/** Data of the writer worker, the only one that writes the file and waits for the disk. */
export interface WriterData extends LedgerBounds {
  readonly path: string;
}

export interface WriterOpened {
  readonly id: string;
  readonly path: string;
}

serveWorker<LedgerProtocol<WriterData, WriterOpened>>(() => {
  let storage: Storage | undefined;
  let run: (calls: readonly Call[]) => Result[] = () => [];
  return {
    requests: {
      open({ path, ...bounds }) {
        storage = openStorage(path);
        run = groupCommit(storage, writes(storage.db, bounds));
        const id = String(storage.db.prepare('SELECT id FROM ledger').get()?.['id']);
        return { id, path: storage.path };
      },
      run: (calls) => run(calls),
    },
    stop: () => storage?.close(),
  };
});
