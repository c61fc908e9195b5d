import { FileError } from '../filesystem/file-error.ts';
import type { orders } from '../filesystem/ordering.ts';
import { parsePath } from '../filesystem/path-parts.ts';
import { kindFilter, pageSize } from '../filesystem/query.ts';
import type { Root } from '../filesystem/root.ts';
import {
  type ListadoServiceDefinition,
  type ListarArchivosRequest,
  OrdenListado,
} from '../proto/gen/archivos/v1/listado.ts';
import { StatusError } from '../runtime/errors.ts';
import type { HandlersOf } from '../runtime/handlers.ts';
import { Status } from '../runtime/status.ts';
import { type ListingQuery, listFolder } from './listing.ts';

const defaultLimit = 1000;

/** What mserv1 answers, by either door. */
export function createHandlers(root: Root): HandlersOf<ListadoServiceDefinition> {
  return {
    async listarArchivos(request, { signal }) {
      try {
        return await listFolder(root, listingQuery(request), signal);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        throw new StatusError(Status[error.code], error.reason, error.message, { cause: error });
      }
    },
  };
}

function listingQuery(request: ListarArchivosRequest): ListingQuery {
  return {
    parts: parsePath(request.ruta, request.rutaBytes),
    kinds: kindFilter(request.tipos),
    hidden: request.ocultos,
    order: orderOf(request.orden),
    descending: request.descendente,
    limit: pageSize(request.limite, defaultLimit),
    cursor: request.cursor,
  };
}

function orderOf(orden: OrdenListado): keyof typeof orders {
  switch (orden) {
    case OrdenListado.ORDEN_LISTADO_UNSPECIFIED:
    case OrdenListado.ORDEN_LISTADO_NOMBRE:
      return 'nombre';
    case OrdenListado.ORDEN_LISTADO_NATURAL:
      return 'natural';
    case OrdenListado.ORDEN_LISTADO_BYTES:
      return 'bytes';
    case OrdenListado.ORDEN_LISTADO_MODIFICADO:
      return 'modificado';
    case OrdenListado.ORDEN_LISTADO_TIPO:
      return 'tipo';
    default:
      throw new FileError('INVALID_ARGUMENT', 'orden-no-valido', 'Unknown order');
  }
}
