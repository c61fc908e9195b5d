import { type Entrada, type ErrorDeEntrada, Tipo } from '../../proto/gen/archivos/v1/entrada.ts';
import type { Formato } from './operation.ts';

/** What the responses of both operations have in common; `total` is of those that count. */
interface Page {
  readonly archivos: readonly Entrada[];
  readonly total?: number;
  readonly siguiente?: string | undefined;
  readonly completo: boolean;
  readonly errores: readonly ErrorDeEntrada[];
}

const wordOf: Readonly<Record<number, string>> = {
  [Tipo.TIPO_ARCHIVO]: 'archivo',
  [Tipo.TIPO_CARPETA]: 'carpeta',
  [Tipo.TIPO_ENLACE_SIMBOLICO]: 'enlace_simbolico',
};

/**
 * A page as its JSON body. Members that are undefined are left out of the text. Strings are made well-formed because the
 * two ways differ in what they make of half a surrogate pair: binary protobuf replaces it, JSON keeps it.
 */
export function presentPage(page: Page, formato: Formato): { body: unknown; siguiente: string | undefined } {
  const siguiente = page.siguiente?.toWellFormed() || undefined;
  if (formato === 'nombres') {
    return { body: page.archivos.map((entrada) => entrada.nombre.toWellFormed()), siguiente };
  }
  const body = {
    archivos: page.archivos.map(presentEntry),
    total: page.total,
    siguiente: siguiente ?? null,
    completo: page.completo,
    errores: page.errores.map(presentError),
  };
  return { body, siguiente };
}

function presentEntry(entrada: Entrada) {
  return {
    nombre: entrada.nombre.toWellFormed(),
    ruta: entrada.ruta.toWellFormed(),
    tipo: wordOf[entrada.tipo] ?? 'otro',
    bytes: entrada.bytes,
    // An invalid date has no JSON form either: null.
    modificado: entrada.modificado?.toJSON(),
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
