import type { FileError } from '../../filesystem/file-error.ts';
import { BuscarArchivosResponse, TransmitirBusquedaResponse } from '../../proto/gen/archivos/v1/busqueda.ts';
import { StatusError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { Status } from '../../runtime/status.ts';
import type { Answer, Argument } from '../../runtime/workers/messages.ts';
import { WorkerEndedError } from '../../runtime/workers/worker-client.ts';
import type { SearchService } from '../search/search-service.ts';
import { IndexChangeWatcher } from './change-watcher.ts';
import type { IndexEvent, IndexProtocol, IndexWorkerData } from './messages.ts';
import { type IndexWorkerClient, startIndexWorker } from './worker-client.ts';

/** The index, in a worker of its own, so that no search blocks the process. */
export interface Indexer extends SearchService {
  /** Rejects, as `searchAll` does, with UNAVAILABLE before the start, after the stop, and while a worker that died is started again. */
  readonly search: SearchService['search'];
  /** Reports changes of the index. */
  readonly changeWatcher: IndexChangeWatcher;
  /** Returns at once: searches are answered before everything is known. */
  start(): void;
  /** Writes the snapshot. May be called twice, and before `start`. */
  stop(): Promise<void>;
}

/** Pause between the death of the worker and the next start; doubles with each death until a worker lives for `livedMs`. */
const restartMs = { first: 500, most: 30_000, livedMs: 60_000 };

type Requests = 'search' | 'stream' | 'next' | 'settle';

/**
 * @param first a worker that has begun with the same data; its successors are started here
 * @param beatMs interval between two beats of the feed; default as `ChangeFeed`
 */
export function createIndexer(
  data: IndexWorkerData,
  log: Logger,
  first: IndexWorkerClient,
  beatMs?: number,
): Indexer {
  let begun: IndexWorkerClient | undefined = first;
  let worker: IndexWorkerClient | undefined;
  let restart: NodeJS.Timeout | undefined;
  let pauseMs = restartMs.first;
  let stopped: Promise<void> | undefined;
  let lastStream = 0;

  function start(): void {
    if (worker !== undefined || stopped !== undefined) return;
    const started = performance.now();
    worker = begun ?? beginWorker(data);
    begun = undefined;
    worker.listen({
      onEvent,
      onEnd: (err) => {
        worker = undefined;
        // The next worker knows nothing of what happens until it has scanned the tree.
        changeWatcher.unwatched([]);
        changeWatcher.everythingChanged();
        if (performance.now() - started > restartMs.livedMs) pauseMs = restartMs.first;
        log.error({ err, pauseMs }, 'the index has ended, and is started again');
        restart = setTimeout(start, pauseMs);
        pauseMs = Math.min(2 * pauseMs, restartMs.most);
      },
    });
  }

  function onEvent(event: IndexEvent): void {
    switch (event.kind) {
      case 'log':
        log[event.level](event.fields, event.text);
        break;
      case 'changed':
        if (event.everything) changeWatcher.everythingChanged();
        else changeWatcher.changed();
        break;
      case 'unwatched':
        changeWatcher.unwatched(event.folders);
    }
  }

  async function request<Name extends Requests>(
    name: Name,
    argument: Argument<IndexProtocol, Name>,
    signal?: AbortSignal,
  ): Promise<Answer<IndexProtocol, Name>> {
    signal?.throwIfAborted();
    if (worker === undefined) throw unavailable();
    try {
      return await worker.request(name, argument, signal);
    } catch (error) {
      throw toStatusError(error);
    }
  }

  const changeWatcher = new IndexChangeWatcher({
    ...(beatMs === undefined ? {} : { beatMs }),
    settle: async () => {
      try {
        await request('settle', undefined);
      } catch {
        // Changes since the last beat are not reported.
        changeWatcher.everythingChanged();
      }
    },
  });

  return {
    changeWatcher,
    async search(message, { signal, whenReady, clock }) {
      return BuscarArchivosResponse.decode(
        await request('search', { request: message, whenReady, clock }, signal),
      );
    },
    async *searchAll(message, signal) {
      lastStream += 1;
      const stream = lastStream;
      const opened = worker;
      try {
        let bytes = await request('stream', { stream, request: message }, signal);
        while (bytes !== undefined) {
          yield TransmitirBusquedaResponse.decode(bytes);
          // A worker that was started since does not know this stream.
          if (worker !== opened) throw unavailable();
          bytes = await request('next', stream, signal);
        }
      } finally {
        if (worker === opened) worker?.notify('close', stream);
      }
    },
    start,
    stop() {
      clearTimeout(restart);
      stopped ??= worker?.stop() ?? Promise.resolve();
      return stopped;
    },
  };
}

function beginWorker(data: IndexWorkerData): IndexWorkerClient {
  const worker = startIndexWorker();
  worker.notify('begin', data);
  return worker;
}

function toStatusError(error: unknown): unknown {
  if (error instanceof WorkerEndedError) return unavailable();
  if (!isFileError(error)) return error;
  return new StatusError(Status[error.code], error.reason, error.message, { cause: error });
}

/** Recognises a `FileError` of the worker, which has lost its class. */
function isFileError(error: unknown): error is FileError {
  return error instanceof Error && error.name === 'FileError';
}

function unavailable(): StatusError {
  return new StatusError(Status.UNAVAILABLE, 'indice-no-disponible', 'The index is not available');
}
