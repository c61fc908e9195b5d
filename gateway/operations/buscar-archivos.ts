import * as z from 'zod';
import {
  type BuscarArchivosRequest,
  type BuscarArchivosResponse,
  BusquedaServiceDefinition,
  Campo,
  Modo,
  OrdenBusqueda,
  type TransmitirBusquedaRequest,
  type TransmitirBusquedaResponse,
} from '../../proto/gen/archivos/v1/busqueda.ts';
import { serverStreamMethod, unaryMethod } from '../../runtime/method.ts';
import { presentFound, presentFoundPart } from './envelope.ts';
import { folderParameters, oneFolder } from './folder.ts';
import type { Operation, OperationStream } from './operation.ts';
import { boolean, cursor, formato, formatos, limite, text, tipos, words } from './parameters.ts';
import { readStrictly } from './strict-query.ts';

const modo = words<Modo>({
  contiene: Modo.MODO_CONTIENE,
  exacto: Modo.MODO_EXACTO,
  glob: Modo.MODO_GLOB,
});

const consulta = z
  .object({
    nombre: text(1024).default(''),
    // Without it the service chooses by what `nombre` looks like.
    modo: modo.default(Modo.MODO_UNSPECIFIED),
    distinguir_mayusculas: boolean.default(false),
    distinguir_acentos: boolean.default(false),
    ...folderParameters,
    tipo: tipos.default([]),
    ocultos: boolean.default(false),
    limite: limite.default(100),
    cursor: cursor.optional(),
    formato: formato.optional(),
  })
  .check(oneFolder);

const stream: OperationStream<BuscarArchivosRequest, TransmitirBusquedaRequest, TransmitirBusquedaResponse> =
  {
    method: serverStreamMethod(BusquedaServiceDefinition, 'transmitirBusqueda'),
    toRequest: (consulta) => ({ consulta: { ...consulta, limite: 0, cursor: undefined } }),
    present: presentFoundPart,
  };

/** `GET /buscar_archivos`: one page of the entries whose name matches. */
export const buscarArchivos: Operation<BuscarArchivosRequest, BuscarArchivosResponse> = {
  name: 'buscar_archivos',
  method: unaryMethod(BusquedaServiceDefinition, 'buscarArchivos'),
  formatos,
  parse: (query) => {
    const read = readStrictly(consulta, query, ['tipo']);
    const request: BuscarArchivosRequest = {
      nombre: read.nombre,
      modo: read.modo,
      distinguirMayusculas: read.distinguir_mayusculas,
      distinguirAcentos: read.distinguir_acentos,
      ruta: read.ruta ?? '',
      rutaBytes: read.ruta_b64,
      tipos: read.tipo,
      ocultos: read.ocultos,
      limite: read.limite,
      cursor: read.cursor,
      campo: Campo.CAMPO_UNSPECIFIED,
      extensiones: [],
      bytesMin: undefined,
      bytesMax: undefined,
      modificadoDesde: undefined,
      modificadoHasta: undefined,
      orden: OrdenBusqueda.ORDEN_BUSQUEDA_UNSPECIFIED,
      descendente: false,
    };
    return { request, formato: read.formato };
  },
  present: presentFound,
  stream: stream as OperationStream<BuscarArchivosRequest>,
};
