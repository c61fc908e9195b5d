import { pino } from 'pino';
import { createHandlers } from '../../../mserv2/handlers.ts';
import type { IndexWorkerData } from '../../../mserv2/index-worker/messages.ts';
import { createIndexer, type Indexer } from '../../../mserv2/index-worker/supervisor.ts';
import { startIndexWorker } from '../../../mserv2/index-worker/worker-client.ts';
import {
  BuscarArchivosRequest,
  type BuscarArchivosResponse,
  type BusquedaServiceVigilarCambiosResponse,
  EstadoIndice,
} from '../../../proto/gen/archivos/v1/busqueda.ts';
import { eventually, until } from '../processes/eventually.ts';
import { callContext } from '../services/call-context.ts';

export type Query = Partial<BuscarArchivosRequest>;

/** mserv2's handlers over a real index worker, with a cache that trusts the change feed, as the gateway's does. */
export class WatchedSearches implements AsyncDisposable {
  /** Messages of the change feed so far. */
  readonly messages: BusquedaServiceVigilarCambiosResponse[] = [];
  /** Cached answers: those with a validity, until the feed reports a change. */
  readonly cached = new Map<Query, BuscarArchivosResponse>();
  readonly #indexer: Indexer;
  readonly #handlers: ReturnType<typeof createHandlers>;
  readonly #subscribers = new Set<() => void>();
  readonly #stopped = new AbortController();
  readonly #listening: Promise<void>;

  constructor(root: string, options: Partial<IndexWorkerData> = {}, beatMs = 10) {
    const data = { root, snapshot: undefined, watches: undefined, sweepMs: 60_000, ...options };
    const worker = startIndexWorker();
    worker.notify('begin', data);
    this.#indexer = createIndexer(data, pino({ level: 'silent' }), worker, beatMs);
    this.#handlers = createHandlers(this.#indexer, this.#indexer.changeWatcher);
    this.#indexer.start();
    this.#listening = this.#listen();
  }

  search(wish: Query = {}, { queued = false } = {}): Promise<BuscarArchivosResponse> {
    const context = { ...callContext(), queued };
    return this.#handlers.buscarArchivos(BuscarArchivosRequest.fromPartial(wish), context);
  }

  /** Returns the first message that a new listener of the feed gets. */
  async firstMessage(): Promise<BusquedaServiceVigilarCambiosResponse> {
    for await (const message of this.#indexer.changeWatcher.listen([])) return message;
    throw new Error('The feed ended without a message');
  }

  /** Stops listening to the feed. */
  stopListening(): void {
    this.#stopped.abort();
  }

  /** Searches as a gateway does: uses the cached answer, or calls and caches. */
  async searchCached(query: Query): Promise<void> {
    if (this.cached.has(query)) return;
    const answer = await this.search(query);
    if (answer.vigencia !== undefined && !this.isReported(answer)) this.cached.set(query, answer);
  }

  /** Resolves when the index is `listo`. */
  async ready(): Promise<void> {
    await eventually(async () => {
      const { indice } = await this.search();
      return indice?.estado === EstadoIndice.ESTADO_INDICE_LISTO;
    });
  }

  /** Searches until the answer has a validity. */
  async searchWatched(query: Query = {}): Promise<BuscarArchivosResponse> {
    let answer = await this.search(query);
    await eventually(async () => {
      answer = await this.search(query);
      return answer.vigencia !== undefined;
    });
    return answer;
  }

  /** Resolves when a heartbeat confirms that all changes before this call are reported. */
  async heartbeat(): Promise<void> {
    const after = performance.now();
    await until(this, () => this.messages.some(({ latidoMs = 0 }) => latidoMs > after));
  }

  subscribe(listener: () => void): () => void {
    this.#subscribers.add(listener);
    return () => this.#subscribers.delete(listener);
  }

  /** Returns whether the feed reported a change since the answer was read. */
  isReported({ vigencia }: BuscarArchivosResponse): boolean {
    const read = vigencia?.reloj?.numero ?? 0;
    return this.messages.some(
      ({ reloj, carpetas, todo }) => (reloj?.numero ?? 0) > read && (todo || carpetas.length > 0),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#listening;
    await this.#indexer.stop();
  }

  async #listen(): Promise<void> {
    for await (const message of this.#indexer.changeWatcher.listen([this.#stopped.signal])) {
      this.messages.push(message);
      for (const [query, answer] of this.cached) if (this.isReported(answer)) this.cached.delete(query);
      for (const subscriber of this.#subscribers) subscriber();
    }
  }
}
