import * as z from 'zod';
import { Entrada, Tipo } from '../../proto/gen/archivos/v1/entrada.ts';

// Schemas of the answers that envelope.ts makes, for the API documents. Tests validate real answers against them.

const time = z.string().meta({ format: 'date-time' });
const whole = z.number().int().min(0);
const base64 = z.string().meta({ contentEncoding: 'base64' });

const entry = {
  nombre: z.string(),
  ruta: z.string(),
  tipo: z.enum(['archivo', 'carpeta', 'enlace_simbolico', 'otro']),
  /** Absent for folders. */
  bytes: z.number().min(0).optional(),
  modificado: time.nullable().optional(),
  /** Present only when the target is inside the root. */
  destino: z.string().optional(),
  nombre_b64: base64.optional(),
  ruta_b64: base64.optional(),
};

const unreadable = z.object({ ruta: z.string(), codigo: z.string(), ruta_b64: base64.optional() });
const found = {
  ...entry,
  coincidencias: z.array(z.tuple([whole, whole])),
  puntaje: z.number().optional(),
};
const index = z.object({ estado: z.enum(['listo', 'construyendo', 'verificando']) });
const rest = { siguiente: z.string().nullable(), completo: z.boolean(), errores: z.array(unreadable) };
const last = { fin: z.literal(true), completo: z.boolean(), total: whole };

export const page = z.object({ archivos: z.array(z.object(entry)), ...rest });
export const pageLine = z.union([z.object(entry), z.object({ error: unreadable }), z.object(last)]);

export const foundPage = z.object({
  archivos: z.array(z.object(found)),
  total: whole,
  ...rest,
  indice: index.optional(),
});
export const foundLine = z.union([
  z.object(found),
  z.object({ error: unreadable }),
  z.object({ ...last, indice: index.optional() }),
]);

/** The entry in the documents' examples. */
export const exampleEntry = Entrada.create({
  nombre: 'Informe técnico.pdf',
  ruta: '2026/Informe técnico.pdf',
  tipo: Tipo.TIPO_ARCHIVO,
  bytes: 20_480,
  modificado: new Date('2026-11-20T10:00:00.123Z'),
});
