import type * as z from 'zod';
import { pushBody } from '../colas/routes.ts';
import { credentials } from '../identity/login.ts';
import { anyState, oneState } from '../solicitudes/listing.ts';
import type { SchemaName } from './schemas.ts';

/** A documented route that does not belong to an operation. */
export interface PathDocument {
  readonly method: 'get' | 'post' | 'delete';
  /** `/solicitudes/{id}` */
  readonly path: string;
  readonly tag: 'Solicitudes' | 'Colas' | 'Sistema';
  readonly summary: string;
  readonly query?: z.ZodObject;
  /** The schema of the JSON body. */
  readonly body?: z.ZodType;
  /** Successful answers by status: a schema of the document, a text media type, or no body. */
  readonly answers: Readonly<Record<number, SchemaName | `text/${string}` | null>>;
  /** Statuses answered with a problem, in addition to those that any route may give. */
  readonly problems: readonly number[];
  /** Request headers that this route honours. */
  readonly headers?: readonly ('Prefer' | 'Idempotency-Key' | 'Last-Event-ID')[];
}

const solicitudes = { tag: 'Solicitudes' } as const;
const colas = { tag: 'Colas' } as const;
const sistema = { tag: 'Sistema', method: 'get', problems: [] } as const;

export const paths: readonly PathDocument[] = [
  {
    ...solicitudes,
    method: 'get',
    path: '/solicitudes',
    summary: 'Las solicitudes propias, de la más nueva a la más vieja',
    query: anyState,
    answers: { 200: 'Solicitudes' },
    problems: [400, 503],
  },
  {
    ...solicitudes,
    method: 'get',
    path: '/solicitudes/{id}',
    summary: 'El estado de una solicitud y su historia',
    answers: { 200: 'Solicitud' },
    problems: [404, 503],
  },
  {
    ...solicitudes,
    method: 'get',
    path: '/solicitudes/{id}/respuesta',
    summary: 'Su respuesta, tal como habría sido la directa; 202 mientras no la hay',
    answers: { 200: null, 202: 'Solicitud' },
    problems: [404, 410, 502, 503, 504],
    headers: ['Prefer'],
  },
  {
    ...solicitudes,
    method: 'get',
    path: '/solicitudes/{id}/eventos',
    summary: 'Sus cambios de estado, según ocurren',
    answers: { 200: 'text/event-stream', 204: null },
    problems: [404, 503],
    headers: ['Last-Event-ID'],
  },
  {
    ...solicitudes,
    method: 'delete',
    path: '/solicitudes/{id}',
    summary: 'La cancela, si no ha terminado',
    answers: { 200: 'Solicitud' },
    problems: [404, 409, 503],
  },
  {
    ...solicitudes,
    method: 'get',
    path: '/cuarentena',
    summary: 'Las que fallaron',
    query: oneState,
    answers: { 200: 'Solicitudes' },
    problems: [400, 503],
  },
  {
    ...solicitudes,
    method: 'post',
    path: '/cuarentena/{id}/reintentar',
    summary: 'Una solicitud nueva que pide lo mismo que la que falló',
    answers: { 202: 'Solicitud', 200: null },
    problems: [404, 409, 503],
    headers: ['Prefer', 'Idempotency-Key'],
  },
  {
    ...colas,
    method: 'get',
    path: '/colas',
    summary: 'Las colas: qué espera, qué está sin confirmar y quién consume',
    answers: { 200: 'Colas' },
    problems: [503],
  },
  {
    ...colas,
    method: 'get',
    path: '/colas/{cola}',
    summary: 'Una cola',
    answers: { 200: 'Cola' },
    problems: [400, 404, 409, 503],
  },
  {
    ...colas,
    method: 'get',
    path: '/colas/{cola}/conteo',
    summary: 'Cuántos mensajes esperan en ella',
    answers: { 200: 'Conteo' },
    problems: [400, 404, 409, 503],
  },
  {
    ...colas,
    method: 'post',
    path: '/colas/{cola}/mensajes',
    summary: 'Encola un mensaje; crea la cola de usuario si no existe',
    body: pushBody,
    answers: { 201: 'Encolado' },
    problems: [400, 403, 409, 413, 415, 503],
  },
  {
    ...colas,
    method: 'post',
    path: '/colas/{cola}/desencolar',
    summary: 'Saca el primer mensaje',
    answers: { 200: 'Desencolado' },
    problems: [400, 403, 404, 409, 413, 415, 503],
  },
  {
    ...colas,
    method: 'post',
    path: '/apis/queue/push',
    summary: 'Encola un mensaje en la cola general',
    body: pushBody,
    answers: { 201: 'Encolado' },
    problems: [400, 413, 415, 503],
  },
  {
    ...colas,
    method: 'post',
    path: '/apis/queue/pop',
    summary: 'Saca el primer mensaje de la cola general',
    answers: { 200: 'Desencolado' },
    problems: [400, 413, 415, 503],
  },
  {
    ...colas,
    method: 'get',
    path: '/apis/queue/count',
    summary: 'Cuántos mensajes esperan en la cola general',
    answers: { 200: 'Conteo' },
    problems: [503],
  },
  { ...sistema, path: '/', summary: 'Qué es esto y adónde ir', answers: { 200: 'Indice' } },
  {
    ...sistema,
    path: '/salud',
    summary: 'Cómo está cada parte; 503 si no se puede aceptar nada',
    answers: { 200: 'Salud', 503: 'Salud' },
  },
  ...['/salud/viva', '/healthz'].map((path) => ({
    ...sistema,
    path,
    summary: 'El proceso responde',
    answers: { 200: 'Viva' as const },
  })),
  ...['/salud/preparada', '/readyz'].map((path) => ({
    ...sistema,
    path,
    summary: 'Se puede aceptar una petición',
    answers: { 200: 'Preparada' as const, 503: 'Preparada' as const },
  })),
  { ...sistema, path: '/metrics', summary: 'Métricas para Prometheus', answers: { 200: 'text/plain' } },
  { ...sistema, path: '/openapi.json', summary: 'Este documento', answers: { 200: null } },
  {
    ...sistema,
    path: '/postman.json',
    summary: 'Lo mismo como colección de Postman',
    answers: { 200: null },
  },
  { ...sistema, path: '/docs', summary: 'Lo mismo para leer y probar', answers: { 200: 'text/html' } },
];

/** The routes of identity. A gateway serves those that its configuration enables. */
export const identityPaths: readonly PathDocument[] = [
  {
    ...sistema,
    method: 'post',
    path: '/login',
    summary: 'Un token para quien sabe el nombre y la clave de un usuario',
    body: credentials,
    answers: { 200: 'Token' },
    problems: [400, 401, 413, 415, 429],
  },
  {
    ...sistema,
    path: '/.well-known/jwks.json',
    summary: 'Las claves públicas con que se comprueban los tokens',
    answers: { 200: null },
  },
];
