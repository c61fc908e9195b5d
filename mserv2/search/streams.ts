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

/** Entries of one message: an rpc message per entry costs twenty times as much. */
export const partSize = 256;
/** Entries of one page that are held at a time. */
const pageSize = 10_000;
/** Longest silence of a stream. */
const beatMs = 500;

/**
 * Yields all matches in the requested order. Without an order they come as they lie in the index, which takes one
 * pass and no memory.
 */
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
    // The next part is made while this one is sent.
    let next = parts.next();
    for (;;) {
      const { value, done } = yield* beating(next, part({}), beatMs);
      if (done === true) return;
      next = parts.next();
      // Handled when its turn comes; unhandled otherwise.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await parts.return();
  }
}

/**
 * Yields all matches, page by page, in messages of several entries. The last message has none and tells whether the
 * search was complete.
 */
export async function* streamPages(
  searchPage: SearchPage,
  consulta: BuscarArchivosRequest,
  signal: AbortSignal,
): AsyncGenerator<TransmitirBusquedaResponse, void> {
  let completo = true;
  let cursor: string | undefined;
  // Each page meets the same unreadable folders; they are reported once.
  let told = new Set<string>();
  for (;;) {
    // A short first page, so that the first entries need not wait for ten thousand.
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

/** Returns proto3's meaning of a missing query: all fields unset. */
function everything(): BuscarArchivosRequest {
  return BuscarArchivosRequest.create();
}

export function part(given: Partial<TransmitirBusquedaResponse>): TransmitirBusquedaResponse {
  return { archivos: [], errores: [], total: undefined, completo: undefined, indice: undefined, ...given };
}

/** Answers queries; a newer one cancels the one before. */
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
