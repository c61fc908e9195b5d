import {
  type BuscarArchivosRequest,
  BuscarArchivosResponse,
  type BuscarEnVivoRequest,
  type BuscarEnVivoResponse,
  BusquedaServiceDefinition,
  EstadoIndice,
  type TransmitirBusquedaRequest,
  type TransmitirBusquedaResponse,
} from '../../proto/gen/archivos/v1/busqueda.ts';
import { methodOf } from '../../runtime/method.ts';
import { presentFound, presentFoundPart } from './envelope.ts';
import { exampleEntry, foundLine, foundPage } from './envelope-schemas.ts';
import type { Operation, OperationLive, OperationStream } from './operation.ts';
import { formatos } from './parameters.ts';
import { searchParameters } from './search-parameters.ts';
import { readStrictly } from './strict-query.ts';

const stream: OperationStream<BuscarArchivosRequest, TransmitirBusquedaRequest, TransmitirBusquedaResponse> =
  {
    method: methodOf(BusquedaServiceDefinition, 'transmitirBusqueda'),
    toRequest: (consulta) => ({ consulta: { ...consulta, limite: 0, cursor: undefined } }),
    present: presentFoundPart,
  };

const live: OperationLive<BuscarArchivosRequest, BuscarEnVivoRequest, BuscarEnVivoResponse> = {
  method: methodOf(BusquedaServiceDefinition, 'buscarEnVivo'),
  toRequest: (numero, consulta) => ({ numero, consulta }),
  present: ({ numero, respuesta = BuscarArchivosResponse.create() }) => ({
    numero,
    body: presentFound(respuesta, 'json').body as object,
  }),
};

/** mserv2's feed reports every change in the tree that it searches. */
export const cambiosDelIndice = methodOf(BusquedaServiceDefinition, 'vigilarCambios');

/** `GET /buscar_archivos`: one page of the matching entries. */
export const buscarArchivos: Operation<BuscarArchivosRequest, BuscarArchivosResponse> = {
  name: 'buscar_archivos',
  method: methodOf(BusquedaServiceDefinition, 'buscarArchivos'),
  formatos,
  parse: (query) => {
    const read = readStrictly(searchParameters, query, ['tipo', 'extension']);
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
      campo: read.campo,
      extensiones: read.extension,
      bytesMin: read.bytes_min,
      bytesMax: read.bytes_max,
      modificadoDesde: read.modificado_desde,
      modificadoHasta: read.modificado_hasta,
      ...read.orden,
    };
    return { request, formato: read.formato };
  },
  present: presentFound,
  validity: ({ vigencia }) => vigencia?.reloj && { reloj: vigencia.reloj, carpeta: vigencia.carpeta },
  document: {
    summary: 'Busca entradas por nombre, tipo, tamaño y fecha',
    query: searchParameters,
    answer: foundPage,
    line: foundLine,
    example: BuscarArchivosResponse.create({
      archivos: [{ entrada: exampleEntry, coincidencias: [{ desde: 8, hasta: 15 }] }],
      total: 1,
      completo: true,
      indice: { estado: EstadoIndice.ESTADO_INDICE_LISTO, version: 1, edadMs: 0 },
    }),
  },
  stream: stream as OperationStream<BuscarArchivosRequest>,
  live: live as OperationLive<BuscarArchivosRequest>,
};
