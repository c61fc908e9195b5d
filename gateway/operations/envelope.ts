import { EstadoIndice, type Hallazgo, type Indice } from '../../proto/gen/archivos/v1/busqueda.ts';
import { type Entrada, type ErrorDeEntrada, Tipo } from '../../proto/gen/archivos/v1/entrada.ts';
import { isoText } from './iso-date.ts';
import type { PageFormato, Presentation, StreamPart } from './operation.ts';

/** The members of both operations' responses; `total` and `indice` belong to the search. */
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
 * Presents a page as its JSON body. Undefined members are omitted from the text. Strings are made well-formed because a
 * lone surrogate differs by route: binary protobuf replaces it, JSON keeps it.
 */
export function presentPage(page: Page<Entrada>, formato: PageFormato): Presentation {
  return present(page, formato, (entrada) => entrada.nombre, presentEntry);
}

/** Presents a page of search results: each entry with its matches and score. */
export function presentFound(page: Page<Hallazgo>, formato: PageFormato): Presentation {
  return present(page, formato, ({ entrada }) => entrada?.nombre ?? '', presentFinding);
}

function present<Item>(
  page: Page<Item>,
  formato: PageFormato,
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

/** Presents a stream's message. The stream's writer adds the last line and counts the entries. */
export function presentPart({
  archivos,
  errores,
}: {
  readonly archivos: readonly Entrada[];
  readonly errores: readonly ErrorDeEntrada[];
}): StreamPart {
  return { entries: archivos.map(presentEntry), errors: errores.map(presentError) };
}

/** Presents a search stream's message. Its last one states completeness, which overrides the count of errors. */
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

/** The index's version and age, as an RFC 9651 dictionary. They change while the answer does not, so the body omits them. */
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
