import type { Logger } from 'pino';
import {
  type Method,
  type MethodDefinition,
  methodOf,
  type RequestOf,
  type ResponseOf,
  type ServiceDefinition,
  type StreamMethod,
} from './method.ts';

/** Context that a handler gets besides its request. */
export interface CallContext {
  /** Aborted when the caller disconnects, its deadline passes, or the process must stop. */
  readonly signal: AbortSignal;
  /** Identifies the request in all processes that handle it. */
  readonly requestId: string;
  /**
   * Whether the request was accepted, and comes from the queue or from the gateway's ledger. It can wait: when a
   * handler answers UNAVAILABLE because it is not ready, the request is tried again. A handler knows nothing else of
   * the transport.
   */
  readonly queued: boolean;
  /** Aborted when the process begins to stop, so that endless streams end. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

/** Answers one request, or throws a `StatusError`. */
export type Handler<Request = unknown, Response = unknown> = (
  request: Request,
  context: CallContext,
) => Promise<Response>;

/**
 * Answers a request, or a stream of requests, with a stream; a thrown `StatusError` ends the stream. The next
 * response is requested once the last one is on its way. When the caller disconnects, the iteration ends, so a
 * generator's `finally` always runs. The requests end with the caller's half, and when the process begins to stop.
 */
export type StreamHandler<Input = unknown, Response = unknown> = (
  input: Input,
  context: CallContext,
) => AsyncIterable<Response>;

type HandlerOf<Definition extends MethodDefinition> = Definition extends { responseStream: false }
  ? Handler<RequestOf<Definition>, ResponseOf<Definition>>
  : StreamHandler<
      Definition extends { requestStream: true }
        ? AsyncIterable<RequestOf<Definition>>
        : RequestOf<Definition>,
      ResponseOf<Definition>
    >;

type KeysOf<Definition extends ServiceDefinition, Shape> = {
  [Key in keyof Definition['methods']]: Definition['methods'][Key] extends Shape ? Key : never;
}[keyof Definition['methods']];

/**
 * Handlers of a service, by their keys in the generated definition. Streams without a handler are UNIMPLEMENTED.
 */
export type HandlersOf<Definition extends ServiceDefinition> = {
  readonly [Key in KeysOf<Definition, { requestStream: false; responseStream: false }>]: HandlerOf<
    Definition['methods'][Key]
  >;
} & {
  readonly [Key in KeysOf<Definition, { responseStream: true }>]?: HandlerOf<Definition['methods'][Key]>;
};

/** A unary method with its handler. The gRPC listener and the queue consumer share one list of these. */
export interface ServedMethod {
  readonly method: Method;
  readonly handle: Handler;
}

/** A streaming method with its handler; served by gRPC only. */
export interface ServedStream {
  readonly method: StreamMethod;
  readonly handle: StreamHandler;
}

/** Pairs every method of a definition with its handler, if it has one. */
export function servedBy<Definition extends ServiceDefinition>(
  definition: Definition,
  handlers: HandlersOf<Definition>,
): { readonly methods: readonly ServedMethod[]; readonly streams: readonly ServedStream[] } {
  const served = Object.entries(handlers).map(
    ([key, handle]) => ({ method: methodOf(definition, key), handle }) as ServedMethod | ServedStream,
  );
  return {
    methods: served.filter((each): each is ServedMethod => each.method.kind === 'unary'),
    streams: served.filter((each): each is ServedStream => each.method.kind !== 'unary'),
  };
}
