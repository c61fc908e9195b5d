import type {
  BuscarArchivosRequest,
  BuscarArchivosResponse,
  TransmitirBusquedaResponse,
} from '../proto/gen/archivos/v1/busqueda.ts';

export interface SearchOptions {
  /** Aborted when nobody waits for the answer any more: the search ends with its reason. */
  readonly signal: AbortSignal;
  /**
   * Refuses, with UNAVAILABLE `indice-no-listo`, to answer from an index that may not know everything. For work from the
   * queue: it can wait, and its answer must be the one that a call would have got when all was known.
   */
  readonly whenReady?: boolean;
}

/** What the handlers ask, whatever searches behind it. Both reject with a `StatusError`. */
export interface Searching {
  /** One page of what matches. */
  page(request: BuscarArchivosRequest, options: SearchOptions): Promise<BuscarArchivosResponse>;
  /**
   * All that matches, in messages of up to 256 entries; the last one tells the total. `limite` and `cursor` of the
   * request are not used. Nothing is searched ahead of whoever takes the messages.
   */
  all(
    request: BuscarArchivosRequest,
    options: SearchOptions,
  ): AsyncGenerator<TransmitirBusquedaResponse, void>;
}
