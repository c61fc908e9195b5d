import * as z from 'zod';

/** Descriptions of the parameters, for readers of the document. A name that is missing here has no description. */
const meanings: Readonly<Record<string, string>> = {
  ruta: 'Subcarpeta, relativa a la raíz. Sin ella, la raíz.',
  ruta_b64: 'La misma en base64, para nombres que no son UTF-8.',
  recursivo: 'También lo que hay en las subcarpetas.',
  profundidad: 'Hasta cuántos niveles; implica recursivo.',
  tipo: 'Solo entradas de este tipo; puede repetirse.',
  ocultos: 'También las que empiezan por un punto.',
  orden: 'Con un - delante, al revés.',
  limite: 'Entradas por página.',
  cursor: 'El de la página siguiente, tal como lo dio la anterior.',
  formato: 'json, solo los nombres, o un flujo de líneas. Gana a Accept.',
  nombre: 'Qué se busca: palabras, "una frase", -sin esto, o un patrón con * y ?.',
  modo: 'Cómo se compara. Sin él lo decide el aspecto de «nombre».',
  campo: 'Qué se compara: el nombre o la ruta entera.',
  distinguir_mayusculas: 'Si A no es a.',
  distinguir_acentos: 'Si á no es a.',
  extension: 'pdf o .pdf; puede repetirse, y basta con una.',
  bytes_min: 'Tamaño mínimo.',
  bytes_max: 'Tamaño máximo.',
  modificado_desde: 'Fecha o momento ISO 8601.',
  modificado_hasta: 'Fecha (entera) o momento ISO 8601.',
  estado: 'Solo las que están así.',
  id: 'El de la solicitud.',
  slug: 'Lo que sigue a «/problemas/».',
  cola: 'Nombre de la cola; «x» es «usuario.x».',
};

const header = (description: string, more: { readonly example?: string } = {}, schema = z.string()) =>
  schema.optional().meta({ param: { description, ...more } });

const headers = {
  Prefer: header('RFC 7240: «respond-async» toma siempre la cola; «wait=N» espera hasta N segundos (50).', {
    example: 'wait=10',
  }),
  'Idempotency-Key': header(
    'Una petición que se repite con la misma clave es la misma solicitud.',
    {},
    z.string().min(1).max(255),
  ),
  'Last-Event-ID': header('El último evento que se recibió.'),
  'If-Match': header('El ETag que la respuesta debe tener; si no, 412.'),
  'If-None-Match': header('El ETag de la respuesta que ya se tiene.'),
};

/** A request header that a route honours. */
export type HeaderName = keyof typeof headers;

/** Returns the parameters of a route: those between braces in its path, those of its query, and its headers. */
export function parameters(path: string, query: z.ZodObject | undefined, names: readonly HeaderName[]) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [
    name,
    name === 'id' ? z.string().meta({ format: 'uuid' }) : z.string(),
  ]);
  const params = {
    path: described(Object.fromEntries(inPath)),
    query: described(query?.shape ?? {}),
    header: z.object(Object.fromEntries(names.map((name) => [name, headers[name]]))),
  };
  const some = Object.values(params).some(({ shape }) => Object.keys(shape).length > 0);
  return some ? { requestParams: params } : {};
}

function described(shape: z.core.$ZodLooseShape): z.ZodObject {
  const fields = Object.entries(shape as Record<string, z.ZodType>).map(([name, schema]) => {
    const description = meanings[name];
    const meta = description === undefined ? {} : { param: { description } };
    return [name, schema.meta({ ...schema.meta(), ...meta })];
  });
  return z.object(Object.fromEntries(fields));
}
