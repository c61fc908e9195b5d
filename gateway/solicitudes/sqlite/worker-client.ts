import { within } from '../../../runtime/timeout.ts';
import { fromFailed } from '../../../runtime/workers/messages.ts';
import { WorkerClient, WorkerEndedError } from '../../../runtime/workers/worker-client.ts';
import { LedgerUnavailableError } from '../ledger.ts';
import { type Call, type LedgerProtocol, type Operations, type Result, toLedgerError } from './messages.ts';

interface Pending extends PromiseWithResolvers<unknown> {
  readonly call: Call;
}

/** Maximum calls per batch, so that the first of them does not wait for thousands of others. */
const maxBatchCalls = 1000;
/** Time limit of a batch. Beyond it the disk hangs, and the calls reject instead of hanging too. */
const maxBatchMs = 10_000;

/**
 * Client of a ledger worker. One batch is in flight at a time, and calls made meanwhile form the next one: the slower the
 * disk, the more calls share an fsync. When the worker dies, pending and later calls reject with `LedgerUnavailableError`.
 *
 * While the worker hangs in a batch, all calls reject with `LedgerUnavailableError`. The calls of that batch may still be
 * committed, as after a failed commit; waiting calls are never sent.
 */
export class LedgerWorkerClient<T extends Operations> {
  readonly #worker: WorkerClient<LedgerProtocol<unknown, unknown>>;
  readonly #batchMs: number;
  #waiting: Pending[] = [];
  #inFlight: Pending[] = [];
  #running: Promise<void> | undefined;
  /** The error of new calls while the batch in flight hangs. */
  #stall: LedgerUnavailableError | undefined;
  /** The error of new calls once the client is drained or the worker has ended. */
  #refusal: LedgerUnavailableError | undefined;

  private constructor(worker: WorkerClient<LedgerProtocol<unknown, unknown>>, batchMs: number) {
    this.#worker = worker;
    this.#batchMs = batchMs;
  }

  /** Starts the worker and opens the ledger; rejects with the worker's error. `batchMs` is the time limit of a batch. */
  static async open<T extends Operations, Data, Opened>(
    module: URL,
    data: Data,
    batchMs = maxBatchMs,
  ): Promise<{ readonly client: LedgerWorkerClient<T>; readonly opened: Opened }> {
    const worker = new WorkerClient<LedgerProtocol<unknown, unknown>>(module);
    try {
      const opened = (await worker.request('open', data)) as Opened;
      return { client: new LedgerWorkerClient<T>(worker, batchMs), opened };
    } catch (error) {
      await worker.stop();
      throw error instanceof WorkerEndedError ? unavailable(error) : toLedgerError(error);
    }
  }

  run<K extends keyof T & string>(name: K, ...args: Parameters<T[K]>): Promise<ReturnType<T[K]>> {
    const refusal = this.#refusal ?? this.#stall;
    if (refusal) return Promise.reject(refusal);
    const pending = { call: { name, args }, ...Promise.withResolvers<unknown>() };
    this.#waiting.push(pending);
    this.#running ??= this.#runBatches();
    return pending.promise as Promise<ReturnType<T[K]>>;
  }

  /** Refuses new calls; resolves when the earlier ones are settled. */
  async drain(): Promise<void> {
    this.#refusal ??= new LedgerUnavailableError('The ledger is closed');
    await Promise.allSettled([...this.#inFlight, ...this.#waiting].map(({ promise }) => promise));
  }

  /** Drains, then ends the worker. */
  async stop(): Promise<void> {
    await this.drain();
    await this.#worker.stop();
  }

  /** Runs batches until no call waits. Calls made in one turn of the event loop share a batch. */
  async #runBatches(): Promise<void> {
    do {
      await new Promise(setImmediate);
      this.#inFlight = this.#waiting.splice(0, maxBatchCalls);
      const ended = this.#runBatch(this.#inFlight);
      if ((await within(this.#batchMs, ended)) === undefined) this.#hang();
      await ended;
      this.#inFlight = [];
      this.#stall = undefined;
    } while (this.#waiting.length > 0);
    this.#running = undefined;
  }

  async #runBatch(batch: readonly Pending[]): Promise<true> {
    try {
      const results: readonly Result[] = await this.#worker.request(
        'run',
        batch.map(({ call }) => call),
      );
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index];
        if (result?.ok) resolve(result.value);
        else
          reject(
            result
              ? toLedgerError(fromFailed(result.failure))
              : new Error('A call to the ledger got no result'),
          );
      });
    } catch (error) {
      if (!(error instanceof WorkerEndedError)) rejectAll(batch, error);
      else this.#end(unavailable(error));
    }
    return true;
  }

  #hang(): void {
    this.#stall = new LedgerUnavailableError(
      `The ledger has not answered in ${this.#batchMs} ms: its disk hangs`,
    );
    rejectAll([...this.#inFlight, ...this.#waiting.splice(0)], this.#stall);
  }

  #end(error: LedgerUnavailableError): void {
    this.#refusal ??= error;
    rejectAll([...this.#inFlight, ...this.#waiting.splice(0)], error);
  }
}

function rejectAll(calls: readonly Pending[], error: unknown): void {
  for (const { reject } of calls) reject(error);
}

function unavailable({ cause }: WorkerEndedError): LedgerUnavailableError {
  const why = cause === undefined ? 'has ended' : `failed: ${String(cause)}`;
  return new LedgerUnavailableError(`The ledger's worker ${why}`, { cause });
}
