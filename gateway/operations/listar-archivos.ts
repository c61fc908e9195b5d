import * as z from 'zod';
import {
  ListadoServiceDefinition,
  type ListarArchivosRequest,
  type ListarArchivosResponse,
  OrdenListado,
} from '../../proto/gen/archivos/v1/listado.ts';
import { unaryMethod } from '../../runtime/method.ts';
import { presentPage } from './envelope.ts';
import { folderParameters, oneFolder } from './folder.ts';
import type { Operation } from './operation.ts';
import { boolean, cursor, formato, formatos, limite, tipos, words } from './parameters.ts';
import { readStrictly } from './strict-query.ts';

const ordenes = {
  nombre: OrdenListado.ORDEN_LISTADO_NOMBRE,
  natural: OrdenListado.ORDEN_LISTADO_NATURAL,
  bytes: OrdenListado.ORDEN_LISTADO_BYTES,
  modificado: OrdenListado.ORDEN_LISTADO_MODIFICADO,
  tipo: OrdenListado.ORDEN_LISTADO_TIPO,
};

/** Each order, and with a `-` the same backwards. */
const orden = words(
  Object.fromEntries([
    ...Object.entries(ordenes).map(([word, by]) => [word, { orden: by, descendente: false }]),
    ...Object.entries(ordenes).map(([word, by]) => [`-${word}`, { orden: by, descendente: true }]),
  ]) as Record<string, { orden: OrdenListado; descendente: boolean }>,
);

const consulta = z
  .object({
    ...folderParameters,
    tipo: tipos.default([]),
    ocultos: boolean.default(false),
    orden: orden.default({ orden: OrdenListado.ORDEN_LISTADO_NOMBRE, descendente: false }),
    limite: limite.default(1000),
    cursor: cursor.optional(),
    formato: formato.optional(),
  })
  .check(oneFolder);

/** `GET /listar_archivos`: one page of a folder. */
export const listarArchivos: Operation<ListarArchivosRequest, ListarArchivosResponse> = {
  name: 'listar_archivos',
  method: unaryMethod(ListadoServiceDefinition, 'listarArchivos'),
  formatos,
  parse: (query) => {
    const read = readStrictly(consulta, query, ['tipo']);
    const request: ListarArchivosRequest = {
      ruta: read.ruta ?? '',
      rutaBytes: read.ruta_b64,
      tipos: read.tipo,
      ocultos: read.ocultos,
      ...read.orden,
      limite: read.limite,
      cursor: read.cursor,
    };
    return { request, formato: read.formato };
  },
  present: presentPage,
};
