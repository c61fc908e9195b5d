import {
  BuscarArchivosRequest,
  type BuscarArchivosResponse,
  type BuscarEnVivoRequest,
  type BuscarEnVivoResponse,
  OrdenBusqueda,
  type TransmitirBusquedaRequest,
  type TransmitirBusquedaResponse,
} from '../../proto/gen/archivos/v1/busqueda.ts';
import { beating } from '../../runtime/heartbeat.ts';
import { switchLatest } from '../../runtime/switch-latest.ts';
import type { SearchAll } from './search-service.ts';

/** Answers one query with one page. */
export type SearchPage = (
  query: BuscarArchivosRequest,
  signal: AbortSignal,
) => Promise<BuscarArchivosResponse>;

/** Entries of a message: one rpc message per entry costs twenty times as much. */
export const partSize = 256;
/** Entries that are looked up and held at a time. */
const pageSize = 10_000;
/** How long a stream says nothing at most. */
const beatMs = 500;

/** All that matches, in the order that is asked for; without one, as it lies in the index, which takes one pass and no memory. */
export function streamSearch(
  searchPage: SearchPage,
  searchAll: SearchAll,
  { consulta = everything() }: TransmitirBusquedaRequest,
  signal: AbortSignal,
): AsyncGenerator<TransmitirBusquedaResponse, void> {
  const ordered = consulta.orden !== OrdenBusqueda.ORDEN_BUSQUEDA_UNSPECIFIED;
  return ordered ? streamPages(searchPage, consulta, signal) : streamParts(searchAll(consulta, signal));
}

async function* streamParts(
  parts: AsyncGenerator<TransmitirBusquedaResponse, void>,
): AsyncGenerator<TransmitirBusquedaResponse, void> {
  try {
    // The next one is made while this one is sent.
    let next = parts.next();
    for (;;) {
      const { value, done } = yield* beating(next, part({}), beatMs);
      if (done === true) return;
      next = parts.next();
      // Its failure is heard when its turn comes, or not at all.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await parts.return();
  }
}

/** All that matches, page after page, in messages of several entries; the last one has none and tells whether it was all. */
export async function* streamPages(
  searchPage: SearchPage,
  consulta: BuscarArchivosRequest,
  signal: AbortSignal,
): AsyncGenerator<TransmitirBusquedaResponse, void> {
  let completo = true;
  let cursor: string | undefined;
  // What cannot be read is met again by every page, and told once.
  let told = new Set<string>();
  for (;;) {
    // The first entries are not kept waiting until ten thousand have been looked up.
    const limite = cursor === undefined ? partSize : pageSize;
    const searching = searchPage({ ...consulta, limite, cursor }, signal);
    const page = yield* beating(searching, part({}), beatMs);
    completo &&= page.completo;
    const errores = page.errores.filter((error) => !told.has(`${error.codigo} ${error.ruta}`));
    told = new Set(page.errores.map((error) => `${error.codigo} ${error.ruta}`));
    if (errores.length > 0) yield part({ errores });
    for (let from = 0; from < page.archivos.length; from += partSize) {
      yield part({ archivos: page.archivos.slice(from, from + partSize) });
    }
    cursor = page.siguiente;
    if (cursor !== undefined) continue;
    yield part({ total: page.total, completo, indice: page.indice });
    return;
  }
}

/** What a query that is not there means in proto3: one whose fields are not set. */
function everything(): BuscarArchivosRequest {
  return BuscarArchivosRequest.create();
}

export function part(given: Partial<TransmitirBusquedaResponse>): TransmitirBusquedaResponse {
  return { archivos: [], errores: [], total: undefined, completo: undefined, indice: undefined, ...given };
}

/** Answers of which only the newest query's is still wanted. */
export function searchLive(
  searchPage: SearchPage,
  queries: AsyncIterable<BuscarEnVivoRequest>,
  signal: AbortSignal,
): AsyncGenerator<BuscarEnVivoResponse, void> {
  const answer = async ({ numero, consulta }: BuscarEnVivoRequest, wanted: AbortSignal) => ({
    numero,
    respuesta: await searchPage(consulta ?? everything(), wanted),
  });
  return switchLatest(queries, answer, signal);
}
