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

type JsonSchema = Readonly<Record<string, unknown>>;

/** Converts a schema to JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

/** Returns the parameters of a query, derived from the schema that validates it. */
export function queryParameters(query: z.ZodObject): readonly object[] {
  const { properties = {} } = z.toJSONSchema(query, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    ...describe(name),
    schema: withTypedDefault(schema as JsonSchema),
  }));
}

/** Returns the parameters between braces in a path. */
export function pathParameters(path: string): readonly object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    ...describe(name),
    schema: name === 'id' ? { type: 'string', format: 'uuid' } : { type: 'string' },
  }));
}

function describe(name: string): { readonly description?: string } {
  const description = meanings[name];
  return description === undefined ? {} : { description };
}

/** Query values are text, defaults included. The document gives the default of an integer as a number. */
function withTypedDefault(schema: JsonSchema): JsonSchema {
  const { type, default: value } = schema;
  return type === 'integer' && typeof value === 'string' ? { ...schema, default: Number(value) } : schema;
}
