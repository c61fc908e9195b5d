import { FileError } from '../../filesystem/file-error.ts';
import { BuscarArchivosResponse, TransmitirBusquedaResponse } from '../../proto/gen/archivos/v1/busqueda.ts';
import { StatusError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { Status } from '../../runtime/status.ts';
import type { SearchService } from '../search/search-service.ts';
import { IndexChangeWatcher } from './change-watcher.ts';
import type { Ask, IndexWorkerData, Reply } from './messages.ts';
import { IndexWorkerClient } from './worker-client.ts';

/** The index, in a thread of its own, so that no search keeps others waiting. */
export interface Indexer extends SearchService {
  /** Rejects, as `searchAll` does, with UNAVAILABLE before the start, after the stop, and while a thread that died is started again. */
  readonly search: SearchService['search'];
  /** Tells what changes in the index. */
  readonly changeWatcher: IndexChangeWatcher;
  /** Returns at once: it answers before it knows everything. */
  start(): void;
  /** Writes the snapshot. May be called twice, and before `start`. */
  stop(): Promise<void>;
}

interface Pending extends PromiseWithResolvers<Uint8Array | undefined> {
  readonly signal: AbortSignal;
}

/** From the death of the thread to the next one, doubled each time, until it has lived for a while. */
const restartMs = { first: 500, most: 30_000, livedMs: 60_000 };

/** What is asked for everybody is wanted to its end. */
const forAll = new AbortController().signal;

/**
 * @param first a thread that has begun already, with the same data; those that follow when it dies are made here
 * @param beatMs between two beats of the feed; by default its own
 */
export function createIndexer(
  data: IndexWorkerData,
  log: Logger,
  first: IndexWorkerClient,
  beatMs?: number,
): Indexer {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let begun: IndexWorkerClient | undefined = first;
  let worker: IndexWorkerClient | undefined;
  let restart: NodeJS.Timeout | undefined;
  let pauseMs = restartMs.first;
  let stopped: Promise<void> | undefined;
  /** Of the last thread. */
  let exited = Promise.withResolvers<void>();

  function start(): void {
    if (worker !== undefined || stopped !== undefined) return;
    const started = performance.now();
    const thread = begun ?? beginThread(data);
    begun = undefined;
    worker = thread;
    exited = Promise.withResolvers<void>();
    thread.listen({
      onReply: receive,
      onError: (err) => log.error({ err }, 'the index has failed'),
      onExit: () => {
        worker = undefined;
        for (const { reject } of pending.values()) reject(unavailable());
        pending.clear();
        // The next one will know nothing of what happens until it has looked at everything.
        changeWatcher.unwatched([]);
        changeWatcher.everythingChanged();
        exited.resolve();
        if (stopped !== undefined) return;
        if (performance.now() - started > restartMs.livedMs) pauseMs = restartMs.first;
        log.error({ pauseMs }, 'the index has ended, and is started again');
        restart = setTimeout(start, pauseMs);
        pauseMs = Math.min(2 * pauseMs, restartMs.most);
      },
    });
  }

  function receive(message: Reply): void {
    switch (message.kind) {
      case 'log':
        log[message.level](message.fields, message.text);
        break;
      case 'news':
        if (message.todo) changeWatcher.everythingChanged();
        else changeWatcher.changed();
        break;
      case 'unwatched':
        changeWatcher.unwatched(message.folders);
        break;
      default:
        settle(message);
    }
  }

  function settle(message: Extract<Reply, { id: number }>): void {
    const asked = pending.get(message.id);
    pending.delete(message.id);
    if (asked === undefined) return;
    switch (message.kind) {
      case 'answer':
        asked.resolve(message.bytes);
        break;
      case 'refused': {
        const { code, reason, message: detail } = message.refusal;
        const cause = new FileError(code, reason, detail);
        asked.reject(new StatusError(Status[code], reason, detail, { cause }));
        break;
      }
      case 'failed':
        asked.reject(asked.signal.aborted ? asked.signal.reason : message.error);
    }
  }

  const post = (ask: Ask): void => worker?.post(ask);

  /** @returns what the answer's message has in it */
  async function call(
    ask: Extract<Ask, { kind: 'search' | 'stream' | 'more' | 'settle' }>,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    signal.throwIfAborted();
    if (worker === undefined) throw unavailable();
    const { id } = ask;
    const asked: Pending = { signal, ...Promise.withResolvers<Uint8Array | undefined>() };
    const abort = (): void => {
      post({ kind: 'abort', id });
      pending.delete(id);
      asked.reject(signal.reason);
    };
    pending.set(id, asked);
    signal.addEventListener('abort', abort, { once: true });
    post(ask);
    try {
      return await asked.promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  const changeWatcher = new IndexChangeWatcher({
    ...(beatMs === undefined ? {} : { beatMs }),
    settle: async () => {
      lastId += 1;
      try {
        await call({ kind: 'settle', id: lastId }, forAll);
      } catch {
        // Of what happened meanwhile nobody tells.
        changeWatcher.everythingChanged();
      }
    },
  });

  return {
    changeWatcher,
    async search(request, { signal, whenReady, clock }) {
      lastId += 1;
      const bytes = await call({ kind: 'search', id: lastId, request, whenReady, clock }, signal);
      return BuscarArchivosResponse.decode(bytes ?? new Uint8Array());
    },
    async *searchAll(request, signal) {
      lastId += 1;
      const id = lastId;
      const thread = worker;
      try {
        let bytes = await call({ kind: 'stream', id, request }, signal);
        while (bytes !== undefined) {
          yield TransmitirBusquedaResponse.decode(bytes);
          // Another thread knows nothing of this stream.
          if (worker !== thread) throw unavailable();
          bytes = await call({ kind: 'more', id }, signal);
        }
      } finally {
        if (worker === thread) post({ kind: 'abort', id });
      }
    },
    start,
    stop() {
      clearTimeout(restart);
      stopped ??= (async () => {
        if (worker === undefined) return;
        post({ kind: 'stop' });
        await exited.promise;
      })();
      return stopped;
    },
  };
}

function beginThread(data: IndexWorkerData): IndexWorkerClient {
  const thread = new IndexWorkerClient();
  thread.begin(data);
  return thread;
}

function unavailable(): StatusError {
  return new StatusError(Status.UNAVAILABLE, 'indice-no-disponible', 'The index is not available');
}
