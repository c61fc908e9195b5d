import type { Next, ParameterizedContext } from 'koa';
import type { Span } from '../../runtime/tracing/tracer.ts';
import type { Idioma } from './texts.ts';

/** How an answer was made: the header `Servido-Por`. */
export type ServidoPor = 'grpc' | 'cola' | 'cache';

/** `caller` of a request that was let in without a token. */
export const anonymous = 'anonimo';

/** What the middlewares know of a request, each set by the one whose name it is under. */
export interface State {
  /** request-id.ts: the same in all processes that touch this request, and in the answer's `X-Request-Id`. */
  requestId: string;
  /** request-id.ts: W3C trace context. */
  traceparent: string;
  /** request-id.ts: the work on this request, of which traceparent is. */
  span: Span;
  /** language.ts */
  idioma: Idioma;
  /** version-prefix.ts: path and query as the client wrote them, prefix included: `/v1/listar_archivos?ruta=a`. */
  target: string;
  /** version-prefix.ts: what goes before every path of our links. */
  prefix: '' | '/v1';
  /** client-address.ts: where the request comes from, seen through proxies that are trusted; IPv4 never as ::ffff:. */
  address: string;
  /** client-address.ts: the host that a trusted proxy was asked for. */
  forwardedHost: string | undefined;
  /** client-address.ts: whether the client uses HTTPS, as far as is known. */
  secure: boolean;
  /** version-prefix.ts: the host of a target in absolute form, which counts instead of the header `Host`. */
  authority: string | undefined;
  /** identity/identify.ts: who asks; empty when nobody knows and nobody has to. */
  caller: string;
  /** identity/identify.ts: what the caller may do. */
  scopes: ReadonlySet<string>;
  /** identity/identify.ts: until when that holds, milliseconds since 1970; infinite for whoever brought no token. */
  identifiedUntil: number;
  /** http/streamed.ts, answers/sender.ts: bytes of the body so far. */
  sentBytes?: number;
  /** answers/sender.ts: undefined for what is no answer of an operation. */
  servidoPor: ServidoPor | undefined;
}

export type Context = ParameterizedContext<State>;
export type Middleware = (ctx: Context, next: Next) => void | Promise<void>;
export type RouteHandler = (ctx: Context) => Promise<void> | void;
