import type { RenderedAnswer } from '../../http/rendered-answer.ts';
import {
  type Acceptance,
  type Closing,
  type Expired,
  type Ledger,
  LedgerFullError,
  type LedgerListener,
  type Solicitud,
  type SolicitudFilter,
} from '../ledger.ts';
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
 * The embedded ledger: a SQLite file (WAL, synchronous=FULL) of one gateway process. Writes that wait together share one
 * transaction and one fsync. Reads have their own connection and worker. An awaited write is visible to every later read.
 */
class SqliteLedger implements Ledger {
  readonly id: string;
  readonly #writer: LedgerWorkerClient<Writes>;
  readonly #reader: LedgerWorkerClient<Reads>;
  readonly #maxPending: number;
  readonly #listeners = createListeners();
  #pending = 0;

  constructor(
    id: string,
    writer: LedgerWorkerClient<Writes>,
    reader: LedgerWorkerClient<Reads>,
    maxPending: number,
  ) {
    this.id = id;
    this.#writer = writer;
    this.#reader = reader;
    this.#maxPending = maxPending;
  }

  async accept(acceptance: Acceptance): Promise<Solicitud | undefined> {
    if (this.#pending >= this.#maxPending) {
      throw new LedgerFullError(`${this.#pending} requests already wait for the ledger's disk`);
    }
    this.#pending += 1;
    try {
      const known = await this.#writer.run('accept', acceptance);
      const { id, service } = acceptance;
      if (known === undefined) this.#listeners.changed([{ id, service, state: 'aceptada' }]);
      return known;
    } finally {
      this.#pending -= 1;
    }
  }

  get(id: string): Promise<Solicitud | undefined> {
    return this.#reader.run('get', id);
  }

  withKey(caller: string, key: string): Promise<Solicitud | undefined> {
    return this.#reader.run('withKey', caller, key);
  }

  list(listing: SolicitudFilter): Promise<readonly Solicitud[]> {
    return this.#reader.run('list', listing);
  }

  async answer(id: string): Promise<RenderedAnswer | undefined> {
    const answer = await this.#reader.run('answer', id);
    if (answer === undefined) return undefined;
    const { buffer, byteOffset, byteLength } = answer.body;
    return { ...answer, body: Buffer.from(buffer, byteOffset, byteLength) };
  }

  async published(id: string, at: number, dueAt: number): Promise<void> {
    const service = await this.#writer.run('published', id, at, dueAt);
    if (service !== undefined) this.#listeners.changed([{ id, service, state: 'encolada' }]);
  }

  unpublish(at: number): Promise<void> {
    return this.#writer.run('unpublish', at);
  }

  interrupted(id: string, dueAt: number): Promise<number> {
    return this.#writer.run('interrupted', id, dueAt);
  }

  defer(id: string, dueAt: number): Promise<void> {
    return this.#writer.run('defer', id, dueAt);
  }

  async deferQueued(service: string, now: number, dueAt: number): Promise<void> {
    while ((await this.#writer.run('deferQueued', service, now, dueAt)) === sweepRows);
  }

  async makeDue(service: string, dueAt: number): Promise<void> {
    while ((await this.#writer.run('makeDue', service, dueAt)) === sweepRows);
  }

  claim(service: string, now: number, until: number, limit: number): Promise<readonly Solicitud[]> {
    return this.#writer.run('claim', service, now, until, limit);
  }

  nextDue(service: string): Promise<number | undefined> {
    return this.#reader.run('nextDue', service);
  }

  oldest(): Promise<number | undefined> {
    return this.#reader.run('oldest');
  }

  countOpen(): Promise<Readonly<Record<string, number>>> {
    return this.#reader.run('countOpen');
  }

  async close(id: string, { state, answer, at }: Closing): Promise<'closed' | 'was-closed' | 'unknown'> {
    // Copied: a small Buffer is a view of a shared pool, and the whole pool would be cloned to the worker.
    const bytes = answer && { ...answer, body: new Uint8Array(answer.body) };
    const result = await this.#writer.run('close', id, { state, at, ...(bytes && { answer: bytes }) });
    if (typeof result === 'string') return result;
    this.#listeners.changed([{ id, service: result.service, state }]);
    return 'closed';
  }

  async expire(now: number): Promise<readonly Expired[]> {
    const expired: Expired[] = [];
    let batch: readonly Expired[];
    do {
      batch = await this.#writer.run('expire', now);
      expired.push(...batch);
      this.#listeners.changed(batch.map(({ id, service }) => ({ id, service, state: 'vencida' })));
    } while (batch.length === sweepRows);
    return expired;
  }

  async purge(closedBefore: number): Promise<number> {
    let purged = 0;
    let batch: number;
    do {
      batch = await this.#writer.run('purge', closedBefore);
      purged += batch;
    } while (batch === purgeRows);
    return purged;
  }

  probe(): Promise<void> {
    return this.#writer.run('probe');
  }

  subscribe(listener: LedgerListener): () => void {
    return this.#listeners.add(listener);
  }

  async stop(): Promise<void> {
    // The reader closes first, so that the writer is the last connection and SQLite removes the WAL.
    await Promise.all([this.#writer.drain(), this.#reader.stop()]);
    await this.#writer.stop();
  }
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
    return new SqliteLedger(opened.id, writer, reader, maxPending);
  } catch (error) {
    await writer.stop();
    throw error;
  }
}
