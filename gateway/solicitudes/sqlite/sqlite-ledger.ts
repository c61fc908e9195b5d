import { type Expired, type Ledger, LedgerFullError } from '../ledger.ts';
import { createListeners } from '../listeners.ts';
import type { ReaderData } from './reader-worker.ts';
import type { Reads } from './reads.ts';
import { LedgerWorkerClient } from './worker-client.ts';
import type { WriterData, WriterOpened } from './writer-worker.ts';
import { purgeRows, sweepRows, type Writes } from './writes.ts';

export interface SqliteLedgerOptions extends WriterData {
  /** Maximum accepts that wait for the disk at a time; default 10,000. Beyond it requests are refused as if it were full. */
  readonly maxPending?: number;
}

/**
 * Creates the embedded ledger: a SQLite file (WAL, synchronous=FULL) of one gateway process. Writes that wait together share
 * one transaction and one fsync. Reads have their own connection and worker. An awaited write is visible to every later read.
 */
function createSqliteLedger(
  id: string,
  writer: LedgerWorkerClient<Writes>,
  reader: LedgerWorkerClient<Reads>,
  maxPending: number,
): Ledger {
  const listeners = createListeners();
  let waiting = 0;
  return {
    id,
    accept: async (acceptance) => {
      if (waiting >= maxPending) {
        throw new LedgerFullError(`${waiting} requests already wait for the ledger's disk`);
      }
      waiting += 1;
      try {
        const known = await writer.run('accept', acceptance);
        const { id, service } = acceptance;
        if (known === undefined) listeners.changed([{ id, service, state: 'aceptada' }]);
        return known;
      } finally {
        waiting -= 1;
      }
    },
    get: (id) => reader.run('get', id),
    withKey: (caller, key) => reader.run('withKey', caller, key),
    list: (filter) => reader.run('list', filter),
    answer: async (id) => {
      const answer = await reader.run('answer', id);
      if (answer === undefined) return undefined;
      const { buffer, byteOffset, byteLength } = answer.body;
      return { ...answer, body: Buffer.from(buffer, byteOffset, byteLength) };
    },
    published: async (id, at, dueAt) => {
      const service = await writer.run('published', id, at, dueAt);
      if (service !== undefined) listeners.changed([{ id, service, state: 'encolada' }]);
    },
    unpublish: (at) => writer.run('unpublish', at),
    interrupted: (id, dueAt) => writer.run('interrupted', id, dueAt),
    defer: (id, dueAt) => writer.run('defer', id, dueAt),
    deferQueued: async (service, now, dueAt) => {
      while ((await writer.run('deferQueued', service, now, dueAt)) === sweepRows);
    },
    makeDue: async (service, dueAt) => {
      while ((await writer.run('makeDue', service, dueAt)) === sweepRows);
    },
    claim: (service, now, until, limit) => writer.run('claim', service, now, until, limit),
    nextDue: (service) => reader.run('nextDue', service),
    oldest: () => reader.run('oldest'),
    countOpen: () => reader.run('countOpen'),
    close: async (id, { state, answer, at }) => {
      // Copied: a small Buffer is a view of a shared pool, and the whole pool would be cloned to the worker.
      const bytes = answer && { ...answer, body: new Uint8Array(answer.body) };
      const result = await writer.run('close', id, { state, at, ...(bytes && { answer: bytes }) });
      if (typeof result === 'string') return result;
      listeners.changed([{ id, service: result.service, state }]);
      return 'closed';
    },
    expire: async (now) => {
      const expired: Expired[] = [];
      let batch: readonly Expired[];
      do {
        batch = await writer.run('expire', now);
        expired.push(...batch);
        listeners.changed(batch.map(({ id, service }) => ({ id, service, state: 'vencida' })));
      } while (batch.length === sweepRows);
      return expired;
    },
    purge: async (closedBefore) => {
      let purged = 0;
      let batch: number;
      do {
        batch = await writer.run('purge', closedBefore);
        purged += batch;
      } while (batch === purgeRows);
      return purged;
    },
    probe: () => writer.run('probe'),
    subscribe: listeners.add,
    stop: async () => {
      // The reader closes first, so that the writer is the last connection and SQLite removes the WAL.
      await Promise.all([writer.drain(), reader.stop()]);
      await writer.stop();
    },
  };
}

/**
 * Opens the ledger in the file `path`, which is created with its folder when missing, readable by its owner only. Rejects
 * with `LedgerLockedError` when a running gateway uses it. Rejects with `LedgerUnavailableError` when the file cannot be
 * opened, is damaged, is not a ledger or comes from a newer version.
 */
export async function openSqliteLedger(options: SqliteLedgerOptions): Promise<Ledger> {
  const { maxPending = 10_000, ...writerData } = options;
  const { client: writer, opened } = await LedgerWorkerClient.open<Writes, WriterData, WriterOpened>(
    new URL('./writer-worker.ts', import.meta.url),
    writerData,
  );
  try {
    const { client: reader } = await LedgerWorkerClient.open<Reads, ReaderData, void>(
      new URL('./reader-worker.ts', import.meta.url),
      { path: opened.path },
    );
    return createSqliteLedger(opened.id, writer, reader, maxPending);
  } catch (error) {
    await writer.stop();
    throw error;
  }
}
