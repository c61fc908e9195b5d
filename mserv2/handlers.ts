import type { BuscarArchivosRequest, BusquedaServiceDefinition } from '../proto/gen/archivos/v1/busqueda.ts';
import type { HandlersOf } from '../runtime/handlers.ts';
import type { IndexChangeWatcher } from './index-worker/change-watcher.ts';
import type { SearchService } from './search/search-service.ts';
import { searchLive, streamSearch } from './search/streams.ts';

/** Makes mserv2's handlers. With a change watcher, answers can be cached while its feed reports no change. */
export function createHandlers(
  { search, searchAll }: SearchService,
  changeWatcher?: Pick<IndexChangeWatcher, 'begin' | 'listen'>,
): HandlersOf<BusquedaServiceDefinition> {
  const searchNow = (request: BuscarArchivosRequest, signal: AbortSignal) =>
    search(request, { signal, whenReady: false });
  return {
    // An answer to a queued request is not cached.
    buscarArchivos: (request, { signal, queued }) =>
      search(request, { signal, whenReady: queued, clock: queued ? undefined : changeWatcher?.begin() }),
    transmitirBusqueda: (request, { signal }) => streamSearch(searchNow, searchAll, request, signal),
    buscarEnVivo: (requests, { signal }) => searchLive(searchNow, requests, signal),
    ...(changeWatcher && {
      vigilarCambios: (_request, { signal, stopping }) => changeWatcher.listen([signal, stopping]),
    }),
  };
}
