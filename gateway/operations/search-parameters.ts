import * as z from 'zod';
import { Campo, Modo, OrdenBusqueda } from '../../proto/gen/archivos/v1/busqueda.ts';
import { folderParameters, oneFolder } from './folder.ts';
import { booleanWord, cursor, formato, limite, text, tipos, wholeNumber, words } from './parameters.ts';
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

/** `pdf` or `.pdf`; repeatable: an entry matches with any of them. */
const extensiones = z
  .array(
    z.string().transform((value, ctx) => {
      const extension = value.replace(/^\./, '');
      if (extension === '') return refuse(ctx, 'vacio');
      return Buffer.byteLength(extension) <= 255 ? extension : refuse(ctx, 'demasiado-largo', { max: 255 });
    }),
  )
  .transform((list) => [...new Set(list)].sort((a, b) => (a < b ? -1 : 1)));

/** A size that a double holds exactly. */
const size = wholeNumber(0, 999_999_999_999_999);

const day = z.iso.date();
const dateTime = z.iso.datetime({ offset: true });
const endOfDay = 'T23:59:59.999Z';

/**
 * Parses an ISO 8601 day (the whole UTC day) or a time with zone. A day at the end of a range extends to its last
 * millisecond. A space counts as the zone's `+`, which query decoding turned into it.
 */
function date(end: boolean) {
  return z
    .string()
    .transform((value, ctx): Date => {
      const text = value.replace(' ', '+');
      const time = day.safeParse(text).success ? text + (end ? endOfDay : 'T00:00:00.000Z') : text;
      return dateTime.safeParse(time).success ? new Date(time) : refuse(ctx, 'fecha-no-valida');
    })
    .meta({ examples: ['2026-11-20', '2026-11-20T10:00:00Z'] });
}

/** The query of `GET /buscar_archivos`. Without `modo` the service infers the mode from `nombre`. */
export const searchParameters = z
  .object({
    nombre: text(1024).default(''),
    modo: modo.default(Modo.MODO_UNSPECIFIED),
    campo: campo.prefault('nombre'),
    distinguir_mayusculas: booleanWord.prefault('false'),
    distinguir_acentos: booleanWord.prefault('false'),
    ...folderParameters,
    tipo: tipos.default([]),
    extension: extensiones.default([]),
    bytes_min: size.optional(),
    bytes_max: size.optional(),
    modificado_desde: date(false).optional(),
    modificado_hasta: date(true).optional(),
    ocultos: booleanWord.prefault('false'),
    // The service's default: relevance for a page, none for a stream.
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
