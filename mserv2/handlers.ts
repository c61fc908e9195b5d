import type { BuscarArchivosRequest, BusquedaServiceDefinition } from '../proto/gen/archivos/v1/busqueda.ts';
import type { HandlersOf } from '../runtime/handlers.ts';
import type { IndexVigil } from './index-worker/change-watcher.ts';
import type { Searching } from './search/search-service.ts';
import { searchLive, streamSearch } from './search/streams.ts';

/** What mserv2 answers, by either door. With a vigil, its answers may be kept while the feed tells of no change. */
export function createHandlers(
  { search, searchAll }: Searching,
  vigil?: Pick<IndexVigil, 'begin' | 'listen'>,
): HandlersOf<BusquedaServiceDefinition> {
  const searchNow = (request: BuscarArchivosRequest, signal: AbortSignal) =>
    search(request, { signal, whenReady: false });
  return {
    // What was queued nobody keeps.
    buscarArchivos: (request, { signal, queued }) =>
      search(request, { signal, whenReady: queued, clock: queued ? undefined : vigil?.begin() }),
    transmitirBusqueda: (request, { signal }) => streamSearch(searchNow, searchAll, request, signal),
    buscarEnVivo: (requests, { signal }) => searchLive(searchNow, requests, signal),
    ...(vigil && { vigilarCambios: (_request, { signal, stopping }) => vigil.listen([signal, stopping]) }),
  };
}
