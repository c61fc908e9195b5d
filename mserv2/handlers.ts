import type { BuscarArchivosRequest, BusquedaServiceDefinition } from '../proto/gen/archivos/v1/busqueda.ts';
import type { HandlersOf } from '../runtime/handlers.ts';
import type { Searching } from './searching.ts';
import { searchLive, streamSearch } from './streams.ts';

/** What mserv2 answers, by either door. */
export function createHandlers({ search, searchAll }: Searching): HandlersOf<BusquedaServiceDefinition> {
  const searchNow = (request: BuscarArchivosRequest, signal: AbortSignal) =>
    search(request, { signal, whenReady: false });
  return {
    buscarArchivos: (request, { signal, queued }) => search(request, { signal, whenReady: queued }),
    transmitirBusqueda: (request, { signal }) => streamSearch(searchNow, searchAll, request, signal),
    buscarEnVivo: (requests, { signal }) => searchLive(searchNow, requests, signal),
  };
}
