import { workerData } from 'node:worker_threads';
import { openStorage } from './database.ts';
import { groupCommit } from './group-commit.ts';
import { serve } from './worker.ts';
import { type Bounds, writes } from './writes.ts';

/** The thread that owns the file: the only one that writes, and the one that waits for the disk. */
export interface WriterData extends Bounds {
  readonly path: string;
}

export interface WriterHello {
  readonly id: string;
  readonly path: string;
}

serve(() => {
  const { path: wanted, ...bounds } = workerData as WriterData;
  const storage = openStorage(wanted);
  const { path, db, close } = storage;
  const id = String(db.prepare('SELECT id FROM ledger').get()?.['id']);
  return { hello: { id, path } satisfies WriterHello, run: groupCommit(storage, writes(db, bounds)), close };
});
