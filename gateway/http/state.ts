import type { Next, ParameterizedContext } from 'koa';
import type { Span } from '../../runtime/tracing/tracer.ts';
import type { Idioma } from './texts.ts';

/** How an answer was made: the header `Servido-Por`. */
export type ServidoPor = 'grpc' | 'cola' | 'cache';

/** The `caller` of a request admitted without a token. */
export const anonymous = 'anonimo';

/** A request's state. Each member is set by the middleware that its comment names. */
export interface State {
  /** request-id.ts: shared by all processes that handle this request, and sent as `X-Request-Id`. */
  requestId: string;
  /** request-id.ts: trace context (runtime/tracing/traceparent.ts). */
  traceparent: string;
  /** request-id.ts: the span of this request, to which traceparent belongs. */
  span: Span;
  /** language.ts */
  idioma: Idioma;
  /** version-prefix.ts: path and query as the client sent them, prefix included: `/v1/listar_archivos?ruta=a`. */
  target: string;
  /** version-prefix.ts: the prefix of every link in the answer. */
  prefix: '' | '/v1';
  /** client-address.ts: the client's address, behind trusted proxies; IPv4 never as ::ffff:. */
  address: string;
  /** client-address.ts: the host that a trusted proxy received. */
  forwardedHost: string | undefined;
  /** client-address.ts: whether the client uses HTTPS, as far as known. */
  secure: boolean;
  /** version-prefix.ts: the host of a target in absolute form, which overrides `Host`. */
  authority: string | undefined;
  /** identity/identify.ts: the authenticated user; empty on open paths without a token. */
  caller: string;
  /** identity/identify.ts: the caller's scopes. */
  scopes: ReadonlySet<string>;
  /** identity/identify.ts: until when the identity is valid, milliseconds since 1970; infinity without a token. */
  identifiedUntil: number;
  /** http/streamed.ts, answers/sender.ts: bytes of the body so far. */
  sentBytes?: number;
  /** answers/sender.ts: undefined unless an operation answered. */
  servidoPor: ServidoPor | undefined;
}

export type Context = ParameterizedContext<State>;
export type Middleware = (ctx: Context, next: Next) => void | Promise<void>;
export type RouteHandler = (ctx: Context) => Promise<void> | void;
