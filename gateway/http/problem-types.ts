import { Status } from '../../runtime/status.ts';
import type { Slug } from './texts.ts';

/** The HTTP status of every problem type. */
export const statusOf: Readonly<Record<Slug, number>> = {
  'parametros-no-validos': 400,
  'peticion-no-valida': 400,
  'ruta-no-encontrada': 404,
  'metodo-no-permitido': 405,
  'metodo-desconocido': 501,
  'no-aceptable': 406,
  'peticion-lenta': 408,
  'cuerpo-demasiado-grande': 413,
  'cuerpo-no-valido': 400,
  'tipo-no-admitido': 415,
  'expectativa-no-admitida': 417,
  'cabeceras-demasiado-grandes': 431,
  'host-no-permitido': 421,

  'origen-no-permitido': 403,
  'requiere-websocket': 426,
  'mensaje-no-valido': 400,

  'token-no-valido': 401,
  'falta-permiso': 403,
  'credenciales-no-validas': 401,
  'demasiados-intentos': 429,
  'demasiadas-peticiones': 429,
  'direccion-no-permitida': 403,
  'gateway-saturado': 503,
  'uri-demasiado-larga': 414,
  'precondicion-no-cumplida': 412,
  'identidad-no-disponible': 503,

  'solicitud-no-encontrada': 404,
  'solicitud-terminada': 409,
  'solicitud-cancelada': 410,
  'solicitud-fallida': 502,
  'solicitud-vencida': 504,
  'solicitud-no-fallida': 409,
  'clave-de-idempotencia-no-valida': 400,
  'clave-de-idempotencia-reutilizada': 422,
  'registro-lleno': 503,
  'registro-no-disponible': 503,
  'demasiadas-esperas': 503,
  'sin-rabbitmq': 503,
  'rabbitmq-no-disponible': 503,
  'rabbitmq-sin-recursos': 503,
  'cola-no-encontrada': 404,
  'cola-interna': 403,
  'cola-incompatible': 409,
  'cola-llena': 503,
  'nombre-de-cola-no-valido': 400,
  'error-interno': 500,

  'ruta-no-valida': 400,
  'ruta-no-existe': 404,
  'no-es-carpeta': 400,
  'ruta-sin-permiso': 403,
  'raiz-no-disponible': 503,
  'cursor-no-valido': 400,
  'limite-no-valido': 400,
  'patron-no-valido': 400,
  'patron-demasiado-costoso': 400,
  'nombre-demasiado-largo': 400,
  'respuesta-demasiado-grande': 500,
  'carpeta-ilegible': 500,
  'sin-recursos': 503,

  'llamada-cancelada': 499,
  'error-desconocido': 500,
  'argumento-no-valido': 400,
  'plazo-agotado': 504,
  'no-encontrado': 404,
  'ya-existe': 409,
  'permiso-denegado': 403,
  'recursos-agotados': 429,
  'condicion-no-cumplida': 400,
  'operacion-abortada': 409,
  'fuera-de-rango': 400,
  'no-implementado': 501,
  'error-del-servicio': 500,
  'servicio-no-disponible': 503,
  'datos-perdidos': 500,
  'sin-autenticar': 401,
};

/**
 * The reasons that mserv1 and mserv2 give, each with the parameters that may have caused it, likeliest first. A reason
 * that is not listed, as from another microservice, is shown by its status.
 */
export const serviceReasons = {
  'error-interno': [],
  'ruta-no-valida': ['ruta', 'ruta_b64'],
  'ruta-no-existe': [],
  'no-es-carpeta': ['ruta', 'ruta_b64'],
  'ruta-sin-permiso': [],
  'raiz-no-disponible': [],
  'cursor-no-valido': ['cursor'],
  'limite-no-valido': ['limite'],
  'patron-no-valido': ['nombre'],
  'patron-demasiado-costoso': ['nombre'],
  'nombre-demasiado-largo': ['nombre'],
  'respuesta-demasiado-grande': ['limite'],
  'carpeta-ilegible': [],
  'sin-recursos': [],
} as const satisfies Partial<Record<Slug, readonly string[]>>;

export type ServiceReason = keyof typeof serviceReasons;

export function isServiceReason(word: string | undefined): word is ServiceReason {
  return word !== undefined && Object.hasOwn(serviceReasons, word);
}

/** The problem type of a gRPC status without a known reason. */
export const slugOfStatus: Readonly<Record<Exclude<Status, 0>, Slug>> = {
  [Status.CANCELLED]: 'llamada-cancelada',
  [Status.UNKNOWN]: 'error-desconocido',
  [Status.INVALID_ARGUMENT]: 'argumento-no-valido',
  [Status.DEADLINE_EXCEEDED]: 'plazo-agotado',
  [Status.NOT_FOUND]: 'no-encontrado',
  [Status.ALREADY_EXISTS]: 'ya-existe',
  [Status.PERMISSION_DENIED]: 'permiso-denegado',
  [Status.RESOURCE_EXHAUSTED]: 'recursos-agotados',
  [Status.FAILED_PRECONDITION]: 'condicion-no-cumplida',
  [Status.ABORTED]: 'operacion-abortada',
  [Status.OUT_OF_RANGE]: 'fuera-de-rango',
  [Status.UNIMPLEMENTED]: 'no-implementado',
  [Status.INTERNAL]: 'error-del-servicio',
  [Status.UNAVAILABLE]: 'servicio-no-disponible',
  [Status.DATA_LOSS]: 'datos-perdidos',
  [Status.UNAUTHENTICATED]: 'sin-autenticar',
};
