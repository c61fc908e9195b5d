import type { BuscarArchivosRequest, BusquedaServiceDefinition } from '../proto/gen/archivos/v1/busqueda.ts';
import type { HandlersOf } from '../runtime/handlers.ts';
import type { IndexChangeWatcher } from './index-worker/change-watcher.ts';
import type { SearchService } from './search/search-service.ts';
import { searchLive, streamSearch } from './search/streams.ts';

/** What mserv2 answers, by either door. With a changeWatcher, its answers may be kept while the feed tells of no change. */
export function createHandlers(
  { search, searchAll }: SearchService,
  changeWatcher?: Pick<IndexChangeWatcher, 'begin' | 'listen'>,
): HandlersOf<BusquedaServiceDefinition> {
  const searchNow = (request: BuscarArchivosRequest, signal: AbortSignal) =>
    search(request, { signal, whenReady: false });
  return {
    // What was queued nobody keeps.
    buscarArchivos: (request, { signal, queued }) =>
      search(request, { signal, whenReady: queued, clock: queued ? undefined : changeWatcher?.begin() }),
    transmitirBusqueda: (request, { signal }) => streamSearch(searchNow, searchAll, request, signal),
    buscarEnVivo: (requests, { signal }) => searchLive(searchNow, requests, signal),
    ...(changeWatcher && {
      vigilarCambios: (_request, { signal, stopping }) => changeWatcher.listen([signal, stopping]),
    }),
  };
}
