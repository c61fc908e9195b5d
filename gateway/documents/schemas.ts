import * as z from 'zod';
import { problemas } from '../http/texts.ts';
import { estados } from '../solicitudes/ledger.ts';

// Schemas of the answers that do not belong to an operation. Tests validate real answers against them.

const time = z.string().meta({ format: 'date-time' });
const whole = z.number().int().min(0);
const estado = z.enum(estados);
const path = z.string();

const solicitud = {
  id: z.uuid(),
  operacion: z.string(),
  estado,
  creada: time,
  vence: time,
  terminada: time.optional(),
  reintento_de: z.uuid().optional(),
  intentos: whole.optional(),
  historia: z.array(z.object({ estado, momento: time })).optional(),
};
const enlaces = z.object({
  estado: path,
  respuesta: path,
  eventos: path,
  reintentar: path.optional(),
});
const queue = {
  nombre: z.string(),
  tipo: z.enum(['usuario', 'interna']),
  listos: whole,
  sin_confirmar: whole.nullable(),
  consumidores: whole,
};
const health = z.record(z.string(), z.unknown());

/** Schemas by their name in the document. Only the loose objects and records allow further members. */
export const schemas = {
  Problema: z.looseObject({
    type: z.enum(Object.keys(problemas).map((slug) => `/problemas/${slug}`)),
    title: z.string(),
    status: z.number().int().min(400).max(599),
    detail: z.string(),
    instance: z.string().optional(),
    errores: z.array(z.object({ parametro: z.string(), motivo: z.string() })).optional(),
    motivo: z.string().optional(),
    peticion: z.string().optional(),
  }),
  TipoDeProblema: z.object({
    type: z.enum(Object.keys(problemas).map((slug) => `/problemas/${slug}`)),
    title: z.string(),
    status: z.number().int().min(400).max(599),
    detail: z.string(),
  }),
  Nombres: z.array(z.string()),
  Indice: z.object({ nombre: z.string(), version: z.string(), enlaces: z.record(z.string(), path) }),
  Solicitud: z.object({ solicitud: z.object(solicitud), enlaces, motivo: z.string().optional() }),
  Solicitudes: z.object({
    solicitudes: z.array(z.object({ ...solicitud, peticion: z.string(), enlaces })),
    siguiente: z.string().nullable(),
  }),
  Salud: z.looseObject({
    estado: z.enum(['sano', 'degradado']),
    servicios: health,
    registro: health,
    rabbitmq: health,
    versiones: z.record(z.string(), z.string()),
    memoria: z.record(z.string(), whole),
  }),
  Viva: z.object({ estado: z.literal('viva') }),
  Preparada: z.object({ estado: z.enum(['preparada', 'no_preparada']), registro: health }),
  Token: z.object({
    token: z.string(),
    tipo: z.literal('Bearer'),
    vence: time,
    permisos: z.array(z.string()),
  }),
  Cola: z.object(queue),
  Colas: z.object({ colas: z.array(z.object(queue)), completo: z.boolean() }),
  Conteo: z.object({ cola: z.string(), conteo: whole }),
  Encolado: z.object({ cola: z.string(), id: z.uuid() }),
  Desencolado: z.object({
    mensaje: z.unknown(),
    vacia: z.boolean(),
    cola: z.string().optional(),
    id: z.string().optional(),
    quedan: whole.optional(),
    mensaje_b64: z.string().meta({ contentEncoding: 'base64' }).optional(),
  }),
} as const satisfies Record<string, z.ZodType>;

export type SchemaName = keyof typeof schemas;
