import { within } from '../../../runtime/timeout.ts';
import { fromFailed } from '../../../runtime/workers/messages.ts';
import { WorkerClient, WorkerEndedError } from '../../../runtime/workers/worker-client.ts';
import { LedgerUnavailableError } from '../ledger.ts';
import { type Call, type LedgerProtocol, type Operations, type Result, toLedgerError } from './messages.ts';

interface Pending extends PromiseWithResolvers<unknown> {
  readonly call: Call;
}

/** Calls of one batch at most, so that the first of them does not wait for thousands of others. */
const batchCalls = 1000;
/** A batch that takes longer waits for a disk that hangs; its callers get an error instead of hanging too. */
const longestBatchMs = 10_000;

/**
 * Client of a ledger worker. One batch is under way at a time; calls that come meanwhile make the next one, so that
 * the slower the disk is, the more calls share an fsync. When the worker dies, pending and later calls reject with
 * `LedgerUnavailableError`.
 *
 * While the worker hangs in a batch, all calls reject with `LedgerUnavailableError`. As after a failed commit, the
 * calls of that batch may be done all the same; waiting calls are not.
 */
export class LedgerWorkerClient<T extends Operations> {
  readonly #worker: WorkerClient<LedgerProtocol<unknown, unknown>>;
  readonly #longestBatchMs: number;
  #waiting: Pending[] = [];
  #underWay: Pending[] = [];
  #running: Promise<void> | undefined;
  /** Rejects calls until the batch under way has ended. */
  #stall: LedgerUnavailableError | undefined;
  /** Rejects calls from now on. */
  #refusal: LedgerUnavailableError | undefined;

  private constructor(worker: WorkerClient<LedgerProtocol<unknown, unknown>>, batchMs: number) {
    this.#worker = worker;
    this.#longestBatchMs = batchMs;
  }

  /** Starts the worker and opens the ledger; rejects with the worker's error. `batchMs` bounds a batch. */
  static async open<T extends Operations, Data, Opened>(
    module: URL,
    data: Data,
    batchMs = longestBatchMs,
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

  /** Takes no more calls; resolves when those that it took are settled. */
  async drain(): Promise<void> {
    this.#refusal ??= new LedgerUnavailableError('The ledger is closed');
    await Promise.allSettled([...this.#underWay, ...this.#waiting].map(({ promise }) => promise));
  }

  /** Drains, then ends the worker. */
  async stop(): Promise<void> {
    await this.drain();
    await this.#worker.stop();
  }

  /** The calls of one turn of the event loop leave together. */
  async #runBatches(): Promise<void> {
    do {
      await new Promise(setImmediate);
      this.#underWay = this.#waiting.splice(0, batchCalls);
      const ended = this.#runBatch(this.#underWay);
      if ((await within(this.#longestBatchMs, ended)) === undefined) this.#hang();
      await ended;
      this.#underWay = [];
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
      `The ledger has not answered in ${this.#longestBatchMs} ms: its disk hangs`,
    );
    rejectAll([...this.#underWay, ...this.#waiting.splice(0)], this.#stall);
  }

  #end(error: LedgerUnavailableError): void {
    this.#refusal ??= error;
    rejectAll([...this.#underWay, ...this.#waiting.splice(0)], error);
  }
}

function rejectAll(calls: readonly Pending[], error: unknown): void {
  for (const { reject } of calls) reject(error);
}

function unavailable({ cause }: WorkerEndedError): LedgerUnavailableError {
  const why = cause === undefined ? 'has ended' : `failed: ${String(cause)}`;
  return new LedgerUnavailableError(`The ledger's worker ${why}`, { cause });
}
