import { FileError } from '../../filesystem/file-error.ts';
import { parsePath } from '../../filesystem/path-parts.ts';
import { kindFilter, pageSize } from '../../filesystem/query.ts';
import {
  type BuscarArchivosRequest,
  Campo,
  Modo,
  OrdenBusqueda,
} from '../../proto/gen/archivos/v1/busqueda.ts';
import type { Field, Mode, SearchOrder, SearchQuery } from '../index/search-api.ts';

const defaultLimit = 100;

/**
 * Converts a request to the index's query.
 * @throws FileError INVALID_ARGUMENT
 */
export function toSearchQuery(request: BuscarArchivosRequest): SearchQuery {
  return {
    parts: parsePath(request.ruta, request.rutaBytes),
    nombre: request.nombre,
    mode: modeOf(request),
    field: fieldOf(request.campo),
    folding: { case: !request.distinguirMayusculas, accents: !request.distinguirAcentos },
    kinds: kindFilter(request.tipos),
    extensions: request.extensiones,
    minBytes: request.bytesMin,
    maxBytes: request.bytesMax,
    since: request.modificadoDesde?.getTime(),
    until: request.modificadoHasta?.getTime(),
    hidden: request.ocultos,
    order: orderOf(request.orden),
    descending: request.descendente,
    limit: pageSize(request.limite, defaultLimit),
    cursor: request.cursor,
  };
}

function modeOf({ modo, nombre }: BuscarArchivosRequest): Mode {
  switch (modo) {
    case Modo.MODO_UNSPECIFIED:
      return /[*?[]/.test(nombre) ? 'literal-o-glob' : 'contiene';
    case Modo.MODO_CONTIENE:
      return 'contiene';
    case Modo.MODO_EXACTO:
      return 'exacto';
    case Modo.MODO_GLOB:
      return 'glob';
    case Modo.MODO_PREFIJO:
      return 'prefijo';
    case Modo.MODO_SUFIJO:
      return 'sufijo';
    case Modo.MODO_REGEX:
      return 'regex';
    case Modo.MODO_DIFUSO:
      return 'difuso';
    default:
      throw new FileError('INVALID_ARGUMENT', 'modo-no-valido', 'Unknown mode');
  }
}

function fieldOf(campo: Campo): Field {
  switch (campo) {
    case Campo.CAMPO_UNSPECIFIED:
    case Campo.CAMPO_NOMBRE:
      return 'nombre';
    case Campo.CAMPO_RUTA:
      return 'ruta';
    default:
      throw new FileError('INVALID_ARGUMENT', 'campo-no-valido', 'Unknown field');
  }
}

function orderOf(orden: OrdenBusqueda): SearchOrder {
  switch (orden) {
    case OrdenBusqueda.ORDEN_BUSQUEDA_UNSPECIFIED:
    case OrdenBusqueda.ORDEN_BUSQUEDA_RELEVANCIA:
      return 'relevancia';
    case OrdenBusqueda.ORDEN_BUSQUEDA_NOMBRE:
      return 'nombre';
    case OrdenBusqueda.ORDEN_BUSQUEDA_RUTA:
      return 'ruta';
    case OrdenBusqueda.ORDEN_BUSQUEDA_BYTES:
      return 'bytes';
    case OrdenBusqueda.ORDEN_BUSQUEDA_MODIFICADO:
      return 'modificado';
    default:
      throw new FileError('INVALID_ARGUMENT', 'orden-no-valido', 'Unknown order');
  }
}
