import { EstadoIndice, type Hallazgo, type Indice } from '../../proto/gen/archivos/v1/busqueda.ts';
import { type Entrada, type ErrorDeEntrada, Tipo } from '../../proto/gen/archivos/v1/entrada.ts';
import { isoText } from './iso-date.ts';
import type { Formato, Presentation, StreamPart } from './operation.ts';

/** What the responses of both operations have in common; `total` and `indice` are of the search. */
interface Page<Item> {
  readonly archivos: readonly Item[];
  readonly total?: number;
  readonly siguiente?: string | undefined;
  readonly completo: boolean;
  readonly errores: readonly ErrorDeEntrada[];
  readonly indice?: Indice | undefined;
}

const stateWordOf: Readonly<Record<number, string>> = {
  [EstadoIndice.ESTADO_INDICE_CONSTRUYENDO]: 'construyendo',
  [EstadoIndice.ESTADO_INDICE_VERIFICANDO]: 'verificando',
  [EstadoIndice.ESTADO_INDICE_LISTO]: 'listo',
};

const wordOf: Readonly<Record<number, string>> = {
  [Tipo.TIPO_ARCHIVO]: 'archivo',
  [Tipo.TIPO_CARPETA]: 'carpeta',
  [Tipo.TIPO_ENLACE_SIMBOLICO]: 'enlace_simbolico',
};

/**
 * A page as its JSON body. Members that are undefined are left out of the text. Strings are made well-formed because the
 * two ways differ in what they make of half a surrogate pair: binary protobuf replaces it, JSON keeps it.
 */
export function presentPage(page: Page<Entrada>, formato: Formato): Presentation {
  return present(page, formato, (entrada) => entrada.nombre, presentEntry);
}

/** The same of what was found: each entry with where it matches, and how well. */
export function presentFound(page: Page<Hallazgo>, formato: Formato): Presentation {
  return present(page, formato, ({ entrada }) => entrada?.nombre ?? '', presentFinding);
}

function present<Item>(
  page: Page<Item>,
  formato: Formato,
  nameOf: (item: Item) => string,
  presentItem: (item: Item) => unknown,
): Presentation {
  const siguiente = page.siguiente?.toWellFormed() || undefined;
  const headers = page.indice && { 'archivero-indice': freshness(page.indice) };
  if (formato === 'nombres') {
    const body = page.archivos.map((item) => nameOf(item).toWellFormed());
    return { body, siguiente, ...(headers && { headers }) };
  }
  const body = {
    archivos: page.archivos.map(presentItem),
    total: page.total,
    siguiente: siguiente ?? null,
    completo: page.completo,
    errores: page.errores.map(presentError),
    indice: page.indice && presentIndex(page.indice),
  };
  return { body, siguiente, ...(headers && { headers }) };
}

/** A message of a stream. What it tells at the end stands in the last line; the counting is done by whoever writes the lines. */
export function presentPart({
  archivos,
  errores,
}: {
  readonly archivos: readonly Entrada[];
  readonly errores: readonly ErrorDeEntrada[];
}): StreamPart {
  return { entries: archivos.map(presentEntry), errors: errores.map(presentError) };
}

/** The same of what was found. Its last message knows better than the count whether that was all. */
export function presentFoundPart(message: {
  readonly archivos: readonly Hallazgo[];
  readonly errores: readonly ErrorDeEntrada[];
  readonly completo?: boolean | undefined;
  readonly indice?: Indice | undefined;
}): StreamPart {
  const { archivos, errores, completo, indice } = message;
  return {
    entries: archivos.map(presentFinding),
    errors: errores.map(presentError),
    end: {
      ...(completo !== undefined && { completo }),
      ...(indice !== undefined && { indice: presentIndex(indice) }),
    },
  };
}

/** How old what the index knew was, as a dictionary of RFC 9651. It changes without the answer: no part of the body. */
function freshness({ version, edadMs }: Indice): string {
  return `version=${version}, edad_ms=${edadMs}`;
}

function presentIndex({ estado }: Indice) {
  return { estado: stateWordOf[estado] ?? 'construyendo' };
}

function presentFinding({ entrada, coincidencias, puntaje }: Hallazgo) {
  return {
    ...(entrada && presentEntry(entrada)),
    coincidencias: coincidencias.map(({ desde, hasta }) => [desde, hasta]),
    puntaje,
  };
}

function presentEntry(entrada: Entrada) {
  return {
    nombre: entrada.nombre.toWellFormed(),
    ruta: entrada.ruta.toWellFormed(),
    tipo: wordOf[entrada.tipo] ?? 'otro',
    bytes: entrada.bytes,
    modificado: entrada.modificado && isoText(entrada.modificado),
    destino: entrada.destino?.toWellFormed(),
    nombre_b64: entrada.nombreBytes?.toString('base64'),
    ruta_b64: entrada.rutaBytes?.toString('base64'),
  };
}

function presentError(error: ErrorDeEntrada) {
  return {
    ruta: error.ruta.toWellFormed(),
    codigo: error.codigo.toWellFormed(),
    ruta_b64: error.rutaBytes?.toString('base64'),
  };
}
