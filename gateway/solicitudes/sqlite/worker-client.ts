import { Worker } from 'node:worker_threads';
import { within } from '../../../runtime/timeout.ts';
import { LedgerUnavailableError } from '../ledger.ts';
import { type Call, type Hello, type Operations, type Result, toError } from './messages.ts';
import { stopMessage } from './worker.ts';

interface Pending extends PromiseWithResolvers<unknown> {
  readonly call: Call;
}

/** Calls that one batch takes along at most, so that the first of them does not wait for thousands of others. */
const batchCalls = 1000;
/** A batch that takes longer waits for a disk that hangs: who asks is told so, and does not hang with it. */
const longestBatchMs = 10_000;

/** What a new thread says first. */
function greeting(worker: Worker): Promise<Hello> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () =>
      reject(new LedgerUnavailableError("The ledger's thread ended before it was ready")),
    );
  });
}

/**
 * The way to a worker thread and back. One batch is under way at a time; calls that come meanwhile gather and make the
 * next one, so that the slower the disk is, the more calls share an fsync. When the thread dies, whatever waits and
 * whatever comes later rejects with `LedgerUnavailableError`.
 *
 * So it does while the thread hangs, until that has ended its batch. What of this batch was reported as failed may be done
 * all the same, as after a commit that failed; what waited is not.
 */
export class Lane<T extends Operations> {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #waiting: Pending[] = [];
  #underWay: Pending[] = [];
  #stopped: Promise<void> | undefined;
  #departure: NodeJS.Immediate | undefined;
  readonly #longestBatchMs: number;
  /** Tells that the batch under way has ended. */
  #ended = Promise.withResolvers<true>();
  /** Why it takes none until the batch under way has ended. */
  #stall: LedgerUnavailableError | undefined;
  /** Why it takes no more calls. */
  #refusal: Error | undefined;

  private constructor(worker: Worker, batchMs: number) {
    this.#worker = worker;
    this.#longestBatchMs = batchMs;
    this.#exited = new Promise((resolve) => worker.once('exit', () => resolve()));
    worker.on('message', (results: Result[]) => this.#settle(results));
    worker.on('error', (cause) => this.#end(`The ledger's thread failed: ${String(cause)}`, cause));
    worker.on('exit', () => this.#end("The ledger's thread has ended"));
  }

  /** Starts the thread; rejects with what it says when it cannot open. `hello` is its own first word; `batchMs` bounds a batch. */
  static async open<T extends Operations>(
    module: URL,
    workerData: unknown,
    batchMs = longestBatchMs,
  ): Promise<{ lane: Lane<T>; hello: unknown }> {
    const worker = new Worker(module, { workerData });
    const said = await greeting(worker);
    if (said.ok) return { lane: new Lane<T>(worker, batchMs), hello: said.hello };
    await worker.terminate();
    throw toError(said.failure);
  }

  run<K extends keyof T & string>(name: K, ...args: Parameters<T[K]>): Promise<ReturnType<T[K]>> {
    const refusal = this.#refusal ?? this.#stall;
    if (refusal) return Promise.reject(refusal);
    const pending = { call: { name, args }, ...Promise.withResolvers<unknown>() };
    this.#waiting.push(pending);
    this.#gather();
    return pending.promise as Promise<ReturnType<T[K]>>;
  }

  /** Takes no more calls; resolves when those that it took are settled. */
  async drain(): Promise<void> {
    this.#refusal ??= new LedgerUnavailableError('The ledger is closed');
    await Promise.allSettled([...this.#underWay, ...this.#waiting].map(({ promise }) => promise));
  }

  /** Finishes what was asked before, then ends the thread. */
  stop(): Promise<void> {
    this.#stopped ??= this.drain().then(() => {
      this.#worker.postMessage(stopMessage);
      return this.#exited;
    });
    return this.#stopped;
  }

  /** The calls of one turn of the event loop leave together. */
  #gather(): void {
    if (this.#underWay.length > 0) return;
    this.#departure ??= setImmediate(() => {
      this.#departure = undefined;
      this.#underWay = this.#waiting.splice(0, batchCalls);
      if (this.#underWay.length === 0) return;
      this.#worker.postMessage(this.#underWay.map(({ call }) => call));
      this.#ended = Promise.withResolvers();
      void this.#watch(this.#ended.promise);
    });
  }

  async #watch(ended: Promise<true>): Promise<void> {
    if (await within(this.#longestBatchMs, ended)) return;
    this.#stall = new LedgerUnavailableError(
      `The ledger has not answered in ${this.#longestBatchMs} ms: its disk hangs`,
    );
    for (const { reject } of [...this.#underWay, ...this.#waiting]) reject(this.#stall);
    this.#waiting = [];
  }

  #settle(results: readonly Result[]): void {
    const settled = this.#underWay;
    this.#underWay = [];
    this.#ended.resolve(true);
    this.#stall = undefined;
    settled.forEach(({ resolve, reject }, index) => {
      const result = results[index];
      if (result?.ok) resolve(result.value);
      else reject(result ? toError(result.failure) : new Error('A call to the ledger got no result'));
    });
    if (this.#waiting.length > 0) this.#gather();
  }

  #end(message: string, cause?: unknown): void {
    const error = new LedgerUnavailableError(message, { cause });
    this.#refusal ??= error;
    this.#ended.resolve(true);
    for (const { reject } of [...this.#underWay, ...this.#waiting]) reject(error);
    this.#underWay = [];
    this.#waiting = [];
  }
}
