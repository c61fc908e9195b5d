import * as z from 'zod';
import {
  ListadoServiceDefinition,
  type ListarArchivosRequest,
  ListarArchivosResponse,
  OrdenListado,
  type RecorrerArchivosRequest,
  type RecorrerArchivosResponse,
} from '../../proto/gen/archivos/v1/listado.ts';
import { methodOf } from '../../runtime/method.ts';
import { presentPage, presentPart } from './envelope.ts';
import { exampleEntry, page, pageLine } from './envelope-schemas.ts';
import { folderParameters, oneFolder } from './folder.ts';
import type { Operation, OperationStream } from './operation.ts';
import { booleanWord, cursor, formato, formatos, limite, tipos, wholeNumber, words } from './parameters.ts';
import { readStrictly } from './strict-query.ts';

const ordenes = {
  nombre: OrdenListado.ORDEN_LISTADO_NOMBRE,
  natural: OrdenListado.ORDEN_LISTADO_NATURAL,
  bytes: OrdenListado.ORDEN_LISTADO_BYTES,
  modificado: OrdenListado.ORDEN_LISTADO_MODIFICADO,
  tipo: OrdenListado.ORDEN_LISTADO_TIPO,
  carpetas: OrdenListado.ORDEN_LISTADO_CARPETAS,
};

/** Each order, and with a `-` its reverse. */
const orden = words(
  Object.fromEntries([
    ...Object.entries(ordenes).map(([word, by]) => [word, { orden: by, descendente: false }]),
    ...Object.entries(ordenes).map(([word, by]) => [`-${word}`, { orden: by, descendente: true }]),
  ]) as Record<string, { orden: OrdenListado; descendente: boolean }>,
);

/** Levels of folders. No path that a system accepts has 2048. */
const profundidad = wholeNumber(1, 2048);

const consulta = z
  .object({
    ...folderParameters,
    // Set by `profundidad` when absent.
    recursivo: booleanWord.optional(),
    profundidad: profundidad.optional(),
    tipo: tipos.default([]),
    ocultos: booleanWord.prefault('false'),
    // By name; in a stream, in directory order.
    orden: orden.default({ orden: OrdenListado.ORDEN_LISTADO_UNSPECIFIED, descendente: false }),
    limite: limite.prefault('1000'),
    cursor: cursor.optional(),
    formato: formato.optional(),
  })
  .check(oneFolder)
  .check(({ value, issues }) => {
    if (value.recursivo !== false || value.profundidad === undefined) return;
    const params = { motivo: 'incompatible-con', valores: { otro: 'recursivo=false' } };
    issues.push({ code: 'custom', input: value, path: ['profundidad'], params });
  });

const stream: OperationStream<ListarArchivosRequest, RecorrerArchivosRequest, RecorrerArchivosResponse> = {
  method: methodOf(ListadoServiceDefinition, 'recorrerArchivos'),
  toRequest: ({ limite: _limite, cursor: _cursor, ...request }) => request,
  present: presentPart,
};

/** mserv1's feed reports changes in the listed folders. */
export const cambiosDeCarpetas = methodOf(ListadoServiceDefinition, 'vigilarCambios');

/** `GET /listar_archivos`: one page of a folder or a tree. */
export const listarArchivos: Operation<ListarArchivosRequest, ListarArchivosResponse> = {
  name: 'listar_archivos',
  method: methodOf(ListadoServiceDefinition, 'listarArchivos'),
  formatos,
  parse: (query) => {
    const read = readStrictly(consulta, query, ['tipo']);
    const request: ListarArchivosRequest = {
      ruta: read.ruta ?? '',
      rutaBytes: read.ruta_b64,
      recursivo: read.recursivo ?? read.profundidad !== undefined,
      profundidad: read.profundidad ?? 0,
      tipos: read.tipo,
      ocultos: read.ocultos,
      ...read.orden,
      limite: read.limite,
      cursor: read.cursor,
    };
    return { request, formato: read.formato };
  },
  present: presentPage,
  validity: ({ vigencia }) => vigencia?.reloj && { reloj: vigencia.reloj, carpeta: vigencia.carpeta },
  document: {
    summary: 'Lista las entradas de una carpeta',
    query: consulta,
    answer: page,
    line: pageLine,
    example: ListarArchivosResponse.create({ archivos: [exampleEntry], completo: true }),
  },
  stream: stream as OperationStream<ListarArchivosRequest>,
};
