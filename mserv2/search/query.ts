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
    field: fields[request.campo] ?? unknown('campo-no-valido', 'Unknown field'),
    folding: { case: !request.distinguirMayusculas, accents: !request.distinguirAcentos },
    kinds: kindFilter(request.tipos),
    extensions: request.extensiones,
    minBytes: request.bytesMin,
    maxBytes: request.bytesMax,
    since: request.modificadoDesde?.getTime(),
    until: request.modificadoHasta?.getTime(),
    hidden: request.ocultos,
    order: orders[request.orden] ?? unknown('orden-no-valido', 'Unknown order'),
    descending: request.descendente,
    limit: pageSize(request.limite, defaultLimit),
    cursor: request.cursor,
  };
}

function modeOf({ modo, nombre }: BuscarArchivosRequest): Mode {
  if (modo === Modo.MODO_UNSPECIFIED) return /[*?[]/.test(nombre) ? 'literal-o-glob' : 'contiene';
  return modes[modo] ?? unknown('modo-no-valido', 'Unknown mode');
}

const modes: Readonly<Partial<Record<Modo, Mode>>> = {
  [Modo.MODO_CONTIENE]: 'contiene',
  [Modo.MODO_EXACTO]: 'exacto',
  [Modo.MODO_GLOB]: 'glob',
  [Modo.MODO_PREFIJO]: 'prefijo',
  [Modo.MODO_SUFIJO]: 'sufijo',
  [Modo.MODO_REGEX]: 'regex',
  [Modo.MODO_DIFUSO]: 'difuso',
};

const fields: Readonly<Partial<Record<Campo, Field>>> = {
  [Campo.CAMPO_UNSPECIFIED]: 'nombre',
  [Campo.CAMPO_NOMBRE]: 'nombre',
  [Campo.CAMPO_RUTA]: 'ruta',
};

const orders: Readonly<Partial<Record<OrdenBusqueda, SearchOrder>>> = {
  [OrdenBusqueda.ORDEN_BUSQUEDA_UNSPECIFIED]: 'relevancia',
  [OrdenBusqueda.ORDEN_BUSQUEDA_RELEVANCIA]: 'relevancia',
  [OrdenBusqueda.ORDEN_BUSQUEDA_NOMBRE]: 'nombre',
  [OrdenBusqueda.ORDEN_BUSQUEDA_RUTA]: 'ruta',
  [OrdenBusqueda.ORDEN_BUSQUEDA_BYTES]: 'bytes',
  [OrdenBusqueda.ORDEN_BUSQUEDA_MODIFICADO]: 'modificado',
};

/** A newer client may send a value that this version does not have. */
function unknown(reason: string, message: string): never {
  throw new FileError('INVALID_ARGUMENT', reason, message);
}
