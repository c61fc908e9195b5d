import {
  type BuscarArchivosRequest,
  BuscarArchivosResponse,
  TransmitirBusquedaResponse,
} from '../../proto/gen/archivos/v1/busqueda.ts';
import { IndexSearcher, type IndexSearcherOptions } from '../search/index-searcher.ts';
import type { SearchRequest } from './messages.ts';

interface OpenStream {
  readonly abort: AbortController;
  readonly parts: AsyncGenerator<TransmitirBusquedaResponse, void>;
}

/** Runs searches in the index's worker, and keeps the streams that are open. */
export class Searches {
  readonly #searcher: IndexSearcher;
  readonly #streams = new Map<number, OpenStream>();

  constructor(options: IndexSearcherOptions) {
    this.#searcher = new IndexSearcher(options);
  }

  async search(
    { request, whenReady, clock }: SearchRequest,
    signal: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const page = await this.#searcher.page(request, { signal, whenReady, clock });
    return new Uint8Array(BuscarArchivosResponse.encode(page).finish());
  }

  open(stream: number, request: BuscarArchivosRequest): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const abort = new AbortController();
    this.#streams.set(stream, { abort, parts: this.#searcher.all(request, abort.signal) });
    return this.next(stream);
  }

  async next(stream: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const result = await this.#streams.get(stream)?.parts.next();
    if (result === undefined || result.done === true) return undefined;
    return new Uint8Array(TransmitirBusquedaResponse.encode(result.value).finish());
  }

  /** Releases the view of the index that a stream holds between its parts. */
  close(stream: number): void {
    const open = this.#streams.get(stream);
    open?.abort.abort();
    this.#streams.delete(stream);
    open?.parts.return().catch(() => undefined);
  }

  closeAll(): void {
    for (const stream of this.#streams.keys()) this.close(stream);
  }
}
