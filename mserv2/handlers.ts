import { FileError } from '../filesystem/file-error.ts';
import { parsePath } from '../filesystem/path-parts.ts';
import { kindFilter, pageSize } from '../filesystem/query.ts';
import type { Root } from '../filesystem/root.ts';
import {
  type BuscarArchivosRequest,
  type BusquedaServiceDefinition,
  Modo,
} from '../proto/gen/archivos/v1/busqueda.ts';
import { StatusError } from '../runtime/errors.ts';
import type { HandlersOf } from '../runtime/handlers.ts';
import { Status } from '../runtime/status.ts';
import { defaultMode, type Mode } from './matcher.ts';
import { type SearchQuery, searchTree } from './search.ts';
import { type Search, searchLive, streamAll } from './streams.ts';

const defaultLimit = 100;

/** What mserv2 answers, by either door. */
export function createHandlers(root: Root): HandlersOf<BusquedaServiceDefinition> {
  const search: Search = async (request, signal) => {
    try {
      const page = await searchTree(root, searchQuery(request), signal);
      const archivos = page.archivos.map((entrada) => ({ entrada, coincidencias: [], puntaje: undefined }));
      return { ...page, archivos, indice: undefined };
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      throw new StatusError(Status[error.code], error.reason, error.message, { cause: error });
    }
  };
  return {
    buscarArchivos: (request, { signal }) => search(request, signal),
    transmitirBusqueda: (request, { signal }) => streamAll(search, request, signal),
    buscarEnVivo: (requests, { signal }) => searchLive(search, requests, signal),
  };
}

function searchQuery(request: BuscarArchivosRequest): SearchQuery {
  return {
    parts: parsePath(request.ruta, request.rutaBytes),
    nombre: request.nombre,
    mode: modeOf(request),
    folding: { case: !request.distinguirMayusculas, accents: !request.distinguirAcentos },
    kinds: kindFilter(request.tipos),
    hidden: request.ocultos,
    limit: pageSize(request.limite, defaultLimit),
    cursor: request.cursor,
  };
}

function modeOf({ modo, nombre }: BuscarArchivosRequest): Mode {
  switch (modo) {
    case Modo.MODO_UNSPECIFIED:
      return defaultMode(nombre);
    case Modo.MODO_CONTIENE:
      return 'contiene';
    case Modo.MODO_EXACTO:
      return 'exacto';
    case Modo.MODO_GLOB:
      return 'glob';
    default:
      throw new FileError('INVALID_ARGUMENT', 'modo-no-valido', 'Unknown mode');
  }
}
