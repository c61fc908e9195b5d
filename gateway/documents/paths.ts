import type * as z from 'zod';
import { pushBody } from '../colas/routes.ts';
import { credentials } from '../identity/login.ts';
import { anyState, oneState } from '../solicitudes/listing.ts';
import type { HeaderName } from './parameters.ts';
import type { SchemaName } from './schemas.ts';

/** A schema of the document as JSON, the answer of any operation, or a media type: a text, or a JSON object. */
export type Content = SchemaName | 'respuesta' | `${'text' | 'application'}/${string}`;

/** A documented route that does not belong to an operation. */
export interface PathDocument {
  readonly method: 'get' | 'post' | 'delete';
  /** The `operationId`, from which generated clients take the name of their function. */
  readonly id: string;
  /** `/solicitudes/{id}` */
  readonly path: string;
  readonly tag: 'Solicitudes' | 'Colas' | 'Sistema';
  readonly summary: string;
  readonly query?: z.ZodObject;
  /** The schema of the JSON body. */
  readonly body?: z.ZodType;
  /** Answers by status, in one or several media types, or without a body. */
  readonly answers: Readonly<Record<number, Content | readonly Content[] | null>>;
  /** Statuses answered with a problem, in addition to those that any route may give. */
  readonly problems: readonly number[];
  /** Request headers that this route honours. */
  readonly headers?: readonly HeaderName[];
}

const solicitudes = { tag: 'Solicitudes' } as const;
const colas = { tag: 'Colas' } as const;
const sistema = { tag: 'Sistema', method: 'get', problems: [] } as const;

export const paths: readonly PathDocument[] = [
  {
    ...solicitudes,
    method: 'get',
    id: 'listar_solicitudes',
    path: '/solicitudes',
    summary: 'Las solicitudes propias, de la más nueva a la más vieja',
    query: anyState,
    answers: { 200: 'Solicitudes' },
    problems: [400, 503],
  },
  {
    ...solicitudes,
    method: 'get',
    id: 'ver_solicitud',
    path: '/solicitudes/{id}',
    summary: 'El estado de una solicitud y su historia',
    answers: { 200: 'Solicitud' },
    problems: [404, 503],
  },
  {
    ...solicitudes,
    method: 'get',
    id: 'ver_respuesta',
    path: '/solicitudes/{id}/respuesta',
    summary: 'Su respuesta, tal como habría sido la directa; 202 mientras no la hay',
    answers: { 200: 'respuesta', 202: 'Solicitud' },
    problems: [404, 410, 502, 503, 504],
    headers: ['Prefer'],
  },
  {
    ...solicitudes,
    method: 'get',
    id: 'seguir_solicitud',
    path: '/solicitudes/{id}/eventos',
    summary: 'Sus cambios de estado, según ocurren',
    answers: { 200: 'text/event-stream', 204: null },
    problems: [404, 503],
    headers: ['Last-Event-ID'],
  },
  {
    ...solicitudes,
    method: 'delete',
    id: 'cancelar_solicitud',
    path: '/solicitudes/{id}',
    summary: 'La cancela, si no ha terminado',
    answers: { 200: 'Solicitud' },
    problems: [404, 409, 503],
  },
  {
    ...solicitudes,
    method: 'get',
    id: 'listar_cuarentena',
    path: '/cuarentena',
    summary: 'Las que fallaron',
    query: oneState,
    answers: { 200: 'Solicitudes' },
    problems: [400, 503],
  },
  {
    ...solicitudes,
    method: 'post',
    id: 'reintentar_solicitud',
    path: '/cuarentena/{id}/reintentar',
    summary: 'Una solicitud nueva que pide lo mismo que la que falló',
    answers: { 202: 'Solicitud', 200: 'respuesta' },
    problems: [404, 409, 503],
    headers: ['Prefer', 'Idempotency-Key'],
  },
  {
    ...colas,
    method: 'get',
    id: 'listar_colas',
    path: '/colas',
    summary: 'Las colas: qué espera, qué está sin confirmar y quién consume',
    answers: { 200: 'Colas' },
    problems: [503],
  },
  {
    ...colas,
    method: 'get',
    id: 'ver_cola',
    path: '/colas/{cola}',
    summary: 'Una cola',
    answers: { 200: 'Cola' },
    problems: [400, 404, 409, 503],
  },
  {
    ...colas,
    method: 'get',
    id: 'contar_cola',
    path: '/colas/{cola}/conteo',
    summary: 'Cuántos mensajes esperan en ella',
    answers: { 200: 'Conteo' },
    problems: [400, 404, 409, 503],
  },
  {
    ...colas,
    method: 'post',
    id: 'encolar',
    path: '/colas/{cola}/mensajes',
    summary: 'Encola un mensaje; crea la cola de usuario si no existe',
    body: pushBody,
    answers: { 201: 'Encolado' },
    problems: [400, 403, 409, 413, 415, 503],
  },
  {
    ...colas,
    method: 'post',
    id: 'desencolar',
    path: '/colas/{cola}/desencolar',
    summary: 'Saca el primer mensaje',
    answers: { 200: 'Desencolado' },
    problems: [400, 403, 404, 409, 413, 415, 503],
  },
  {
    ...colas,
    method: 'post',
    id: 'encolar_en_general',
    path: '/apis/queue/push',
    summary: 'Encola un mensaje en la cola general',
    body: pushBody,
    answers: { 201: 'Encolado' },
    problems: [400, 413, 415, 503],
  },
  {
    ...colas,
    method: 'post',
    id: 'desencolar_de_general',
    path: '/apis/queue/pop',
    summary: 'Saca el primer mensaje de la cola general',
    answers: { 200: 'Desencolado' },
    problems: [400, 413, 415, 503],
  },
  {
    ...colas,
    method: 'get',
    id: 'contar_general',
    path: '/apis/queue/count',
    summary: 'Cuántos mensajes esperan en la cola general',
    answers: { 200: 'Conteo' },
    problems: [503],
  },
  { ...sistema, id: 'ver_indice', path: '/', summary: 'Qué es esto y adónde ir', answers: { 200: 'Indice' } },
  {
    ...sistema,
    id: 'ver_salud',
    path: '/salud',
    summary: 'Cómo está cada parte; 503 si no se puede aceptar nada',
    answers: { 200: 'Salud', 503: 'Salud' },
  },
  ...[
    { id: 'ver_viva', path: '/salud/viva' },
    { id: 'ver_healthz', path: '/healthz' },
  ].map((named) => ({
    ...sistema,
    ...named,
    summary: 'El proceso responde',
    answers: { 200: 'Viva' as const },
  })),
  ...[
    { id: 'ver_preparada', path: '/salud/preparada' },
    { id: 'ver_readyz', path: '/readyz' },
  ].map((named) => ({
    ...sistema,
    ...named,
    summary: 'Se puede aceptar una petición',
    answers: { 200: 'Preparada' as const, 503: 'Preparada' as const },
  })),
  {
    ...sistema,
    id: 'ver_metricas',
    path: '/metrics',
    summary: 'Métricas para Prometheus',
    answers: { 200: 'text/plain' },
  },
  {
    ...sistema,
    id: 'ver_openapi',
    path: '/openapi.json',
    summary: 'Este documento',
    answers: { 200: 'application/json' },
  },
  {
    ...sistema,
    id: 'ver_postman',
    path: '/postman.json',
    summary: 'Lo mismo como colección de Postman',
    answers: { 200: 'application/json' },
  },
  {
    ...sistema,
    id: 'ver_problema',
    path: '/problemas/{slug}',
    summary: 'Qué significa el «type» de un problema',
    answers: { 200: ['TipoDeProblema', 'text/html'] },
    problems: [404],
  },
  {
    ...sistema,
    id: 'ver_docs',
    path: '/docs',
    summary: 'Lo mismo para leer y probar',
    answers: { 200: 'text/html' },
  },
];

/** The routes of identity. A gateway serves those that its configuration enables. */
export const identityPaths: readonly PathDocument[] = [
  {
    ...sistema,
    method: 'post',
    id: 'iniciar_sesion',
    path: '/login',
    summary: 'Un token para quien sabe el nombre y la clave de un usuario',
    body: credentials,
    answers: { 200: 'Token' },
    problems: [400, 401, 413, 415, 429],
  },
  {
    ...sistema,
    id: 'ver_claves',
    path: '/.well-known/jwks.json',
    summary: 'Las claves públicas con que se comprueban los tokens',
    answers: { 200: 'application/jwk-set+json' },
  },
];
