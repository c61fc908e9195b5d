import type {
  BuscarArchivosRequest,
  BuscarArchivosResponse,
  TransmitirBusquedaResponse,
} from '../../proto/gen/archivos/v1/busqueda.ts';
import type { Clock } from '../../runtime/change-feed.ts';

/** Name of the index in the feed and in answers: every answer depends on the whole of it. */
export const wholeIndex = '';

export interface SearchOptions {
  /** Aborted when nobody waits for the answer any more: the search rejects with its reason. */
  readonly signal: AbortSignal;
  /**
   * Refuses, with UNAVAILABLE `indice-no-listo`, to answer from an index that may not know everything. For work from the
   * queue: it can wait, and its answer must be the one that a call would have got when all was known.
   */
  readonly whenReady: boolean;
  /** Of the feed of changes, from before: the answer says whether it may be kept since. Without it, it is not to be kept. */
  readonly clock?: Clock | undefined;
}

/** What the handlers ask, whatever searches behind it: one page of what matches. Rejects with a `StatusError`. */
export type Search = (
  request: BuscarArchivosRequest,
  options: SearchOptions,
) => Promise<BuscarArchivosResponse>;

/**
 * All that matches, as the index has it, whatever the request says of orders and pages: messages of several entries, the last
 * with none, which tells whether it was all. Goes on as it is read. Throws a `StatusError`.
 */
export type SearchAll = (
  request: BuscarArchivosRequest,
  signal: AbortSignal,
) => AsyncGenerator<TransmitirBusquedaResponse, void>;

export interface SearchService {
  readonly search: Search;
  readonly searchAll: SearchAll;
}
