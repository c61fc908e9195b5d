import type { BusquedaServiceDefinition } from '../proto/gen/archivos/v1/busqueda.ts';
import type { HandlersOf } from '../runtime/handlers.ts';
import type { Search } from './searching.ts';
import { searchLive, streamAll } from './streams.ts';

/** What mserv2 answers, by either door. */
export function createHandlers(search: Search): HandlersOf<BusquedaServiceDefinition> {
  const searchNow = (request: Parameters<Search>[0], signal: AbortSignal) =>
    search(request, { signal, whenReady: false });
  return {
    buscarArchivos: (request, { signal, queued }) => search(request, { signal, whenReady: queued }),
    transmitirBusqueda: (request, { signal }) => streamAll(searchNow, request, signal),
    buscarEnVivo: (requests, { signal }) => searchLive(searchNow, requests, signal),
  };
}
