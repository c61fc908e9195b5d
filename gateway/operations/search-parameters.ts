import * as z from 'zod';
import { Campo, Modo, OrdenBusqueda } from '../../proto/gen/archivos/v1/busqueda.ts';
import { folderParameters, oneFolder } from './folder.ts';
import { boolean, cursor, formato, limite, text, tipos, wholeNumber, words } from './parameters.ts';
import { refuse } from './strict-query.ts';

const modo = words<Modo>({
  contiene: Modo.MODO_CONTIENE,
  exacto: Modo.MODO_EXACTO,
  prefijo: Modo.MODO_PREFIJO,
  sufijo: Modo.MODO_SUFIJO,
  glob: Modo.MODO_GLOB,
  regex: Modo.MODO_REGEX,
  difuso: Modo.MODO_DIFUSO,
});

const campo = words<Campo>({ nombre: Campo.CAMPO_NOMBRE, ruta: Campo.CAMPO_RUTA });

const ordenes = {
  relevancia: OrdenBusqueda.ORDEN_BUSQUEDA_RELEVANCIA,
  nombre: OrdenBusqueda.ORDEN_BUSQUEDA_NOMBRE,
  ruta: OrdenBusqueda.ORDEN_BUSQUEDA_RUTA,
  bytes: OrdenBusqueda.ORDEN_BUSQUEDA_BYTES,
  modificado: OrdenBusqueda.ORDEN_BUSQUEDA_MODIFICADO,
};

/** `pdf` or `.pdf`; repeatable, and one of them is enough. */
const extensiones = z
  .array(
    z.string().transform((written, ctx) => {
      const extension = written.replace(/^\./, '');
      if (extension === '') return refuse(ctx, 'vacio');
      return Buffer.byteLength(extension) <= 255 ? extension : refuse(ctx, 'demasiado-largo', { max: 255 });
    }),
  )
  .transform((list) => [...new Set(list)].sort((a, b) => (a < b ? -1 : 1)));

/** Any size that a double holds exactly. */
const size = wholeNumber(0, 999_999_999_999_999);

const aDay = z.iso.date();
const aTime = z.iso.datetime({ offset: true });
const lastMoment = 'T23:59:59.999Z';

/**
 * A day (in UTC, the whole of it) or a time with its zone, in ISO 8601. A day as the end of a range counts to its last
 * millisecond. A space is the `+` of a zone as it was before the query string was decoded.
 */
function date(end: boolean) {
  return z
    .string()
    .transform((written, ctx): Date => {
      const text = written.replace(' ', '+');
      const time = aDay.safeParse(text).success ? text + (end ? lastMoment : 'T00:00:00.000Z') : text;
      return aTime.safeParse(time).success ? new Date(time) : refuse(ctx, 'fecha-no-valida');
    })
    .meta({ examples: ['2026-11-20', '2026-11-20T10:00:00Z'] });
}

/** The query of `GET /buscar_archivos`. Without `modo` the service chooses by what `nombre` looks like. */
export const searchQuery = z
  .object({
    nombre: text(1024).default(''),
    modo: modo.default(Modo.MODO_UNSPECIFIED),
    campo: campo.prefault('nombre'),
    distinguir_mayusculas: boolean.prefault('false'),
    distinguir_acentos: boolean.prefault('false'),
    ...folderParameters,
    tipo: tipos.default([]),
    extension: extensiones.default([]),
    bytes_min: size.optional(),
    bytes_max: size.optional(),
    modificado_desde: date(false).optional(),
    modificado_hasta: date(true).optional(),
    ocultos: boolean.prefault('false'),
    // The service's: relevancia for a page, none for a stream.
    orden: words(
      Object.fromEntries(
        Object.entries(ordenes).flatMap(([word, orden]) => [
          [word, { orden, descendente: false }],
          [`-${word}`, { orden, descendente: true }],
        ]),
      ) as Record<string, { orden: OrdenBusqueda; descendente: boolean }>,
    ).default({ orden: OrdenBusqueda.ORDEN_BUSQUEDA_UNSPECIFIED, descendente: false }),
    limite: limite.prefault('100'),
    cursor: cursor.optional(),
    formato: formato.optional(),
  })
  .check(oneFolder)
  .check((ctx) => {
    const { bytes_min, bytes_max, modificado_desde, modificado_hasta } = ctx.value;
    const inverted = (from: number | Date | undefined, to: number | Date | undefined): boolean =>
      from !== undefined && to !== undefined && from > to;
    const refuseEnd = (end: string, start: string): void => {
      ctx.issues.push({
        code: 'custom',
        input: ctx.value,
        path: [end],
        params: { motivo: 'menor-que', valores: { otro: start } },
      });
    };
    if (inverted(bytes_min, bytes_max)) refuseEnd('bytes_max', 'bytes_min');
    if (inverted(modificado_desde, modificado_hasta)) refuseEnd('modificado_hasta', 'modificado_desde');
  });
