import type {
  BuscarArchivosRequest,
  BuscarArchivosResponse,
  TransmitirBusquedaResponse,
} from '../../proto/gen/archivos/v1/busqueda.ts';
import type { Clock } from '../../runtime/change-feed.ts';

/** Name of the index in the feed and in answers: every answer depends on the whole of it. */
export const wholeIndex = '';

export interface SearchOptions {
  /** Aborted when the answer is no longer needed: the search rejects with its reason. */
  readonly signal: AbortSignal;
  /**
   * Rejects with UNAVAILABLE `indice-no-listo` while the index is not complete. Set for queued requests: they can
   * wait, and need the answer that a complete index gives.
   */
  readonly whenReady: boolean;
  /**
   * Clock of the change feed, read before the search. With it, the answer may carry a validity, by which it can be
   * cached.
   */
  readonly clock?: Clock | undefined;
}

/** Returns one page of matches. Rejects with a `StatusError`. */
export type Search = (
  request: BuscarArchivosRequest,
  options: SearchOptions,
) => Promise<BuscarArchivosResponse>;

/**
 * Yields all matches, in the index's order, in messages of several entries; the last has none and tells whether the
 * search was complete. Orders and pages of the request are ignored. Advances as it is read. Throws a `StatusError`.
 */
export type SearchAll = (
  request: BuscarArchivosRequest,
  signal: AbortSignal,
) => AsyncGenerator<TransmitirBusquedaResponse, void>;

export interface SearchService {
  readonly search: Search;
  readonly searchAll: SearchAll;
}
