import { openRoot, type Root } from '../../../filesystem/root.ts';
import { ChangeWatcher, type ChangeWatcherOptions } from '../../../mserv1/change-watcher.ts';
import { createHandlers } from '../../../mserv1/handlers.ts';
import {
  ListarArchivosRequest,
  type ListarArchivosResponse,
  type VigilarCambiosResponse,
} from '../../../proto/gen/archivos/v1/listado.ts';
import type { Vigencia } from '../../../proto/gen/archivos/v1/vigilancia.ts';
import { eventually, until } from '../processes/eventually.ts';
import { callContext } from '../services/call-context.ts';

/** mserv1's handlers over a real folder, with a cache that trusts the change feed, as the gateway's does. */
export class WatchedListings implements AsyncDisposable {
  /** Messages of the change feed so far. */
  readonly messages: VigilarCambiosResponse[] = [];
  /** Cached answers by path: those with a validity, until the feed reports a change of their folder. */
  readonly cached = new Map<string, ListarArchivosResponse>();
  readonly #handlers: ReturnType<typeof createHandlers>;
  readonly #subscribers = new Set<() => void>();
  readonly #stopped = new AbortController();
  readonly #listening: Promise<void>;

  constructor(path: string, options: Partial<ChangeWatcherOptions> = {}, root: Root = openRoot(path)) {
    const watcher = new ChangeWatcher(root, { limit: 1000, beatMs: 10, ...options });
    this.#handlers = createHandlers(root, watcher);
    this.#listening = this.#listen(watcher);
  }

  list(wish: Partial<ListarArchivosRequest> = {}): Promise<ListarArchivosResponse> {
    const context = callContext();
    return this.#handlers.listarArchivos(ListarArchivosRequest.fromPartial(wish), context);
  }

  /** Lists as a gateway does: returns the cached answer, or calls and caches. */
  async listCached(ruta: string): Promise<ListarArchivosResponse> {
    const kept = this.cached.get(ruta);
    if (kept !== undefined) return kept;
    const answer = await this.list({ ruta });
    if (answer.vigencia !== undefined && !this.isReported(answer)) this.cached.set(ruta, answer);
    return answer;
  }

  /** Lists until the answer has a validity. */
  async listWatched(ruta = ''): Promise<ListarArchivosResponse> {
    let answer = await this.list({ ruta });
    await eventually(async () => {
      answer = await this.list({ ruta });
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

  /** Returns whether the feed reported a change of the answer's folder since the answer was read. */
  isReported({ vigencia }: ListarArchivosResponse): boolean {
    return this.messages.some((message) => concerns(message, vigencia));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#listening;
  }

  async #listen(watcher: ChangeWatcher): Promise<void> {
    for await (const message of watcher.listen([this.#stopped.signal])) {
      this.messages.push(message);
      for (const [ruta, { vigencia }] of this.cached)
        if (concerns(message, vigencia)) this.cached.delete(ruta);
      for (const subscriber of this.#subscribers) subscriber();
    }
  }
}

function concerns(
  { reloj, carpetas, todo }: VigilarCambiosResponse,
  vigencia: Vigencia | undefined,
): boolean {
  const newer = (reloj?.numero ?? 0) > (vigencia?.reloj?.numero ?? 0);
  return newer && (todo || carpetas.includes(vigencia?.carpeta ?? ''));
}
