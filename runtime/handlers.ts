import type { Logger } from 'pino';
import {
  bidirectionalMethod,
  type Method,
  type MethodDefinition,
  methodKindOf,
  type RequestOf,
  type ResponseOf,
  type ServiceDefinition,
  type StreamMethod,
  serverStreamMethod,
  unaryMethod,
} from './method.ts';

/** What a handler is told besides its request. */
export interface CallContext {
  /** Aborted when the caller went away, its deadline passed, or the process must stop. */
  readonly signal: AbortSignal;
  /** The same in all processes that touch this request. */
  readonly requestId: string;
  /**
   * The request was accepted, and came from the queue or from the gateway's ledger. It can wait: a handler that does not know everything yet says UNAVAILABLE, and is
   * asked again. Otherwise a handler does not know by which door a request came.
   */
  readonly queued: boolean;
  /** Aborted when the process begins to stop: a stream that has no end of its own ends now. */
  readonly stopping: AbortSignal;
  readonly log: Logger;
}

/** Answers one request, or throws a `StatusError`. */
export type Handler<Request = unknown, Response = unknown> = (
  request: Request,
  context: CallContext,
) => Promise<Response>;

/**
 * Answers a request, or a stream of them, with a stream; a `StatusError` that it throws ends that. Nobody asks for the
 * next response before the last one is on its way, and a caller that goes away ends the iteration, so a generator's
 * `finally` always runs. The requests end with the caller's half, and when the process wants to stop.
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

/** The handlers of a service, by their keys in the generated definition. Streams left out are UNIMPLEMENTED. */
export type HandlersOf<Definition extends ServiceDefinition> = {
  readonly [Key in KeysOf<Definition, { requestStream: false; responseStream: false }>]: HandlerOf<
    Definition['methods'][Key]
  >;
} & {
  readonly [Key in KeysOf<Definition, { responseStream: true }>]?: HandlerOf<Definition['methods'][Key]>;
};

/** A method with the handler that serves it. Both doors of a microservice are made from one list of these. */
export interface ServedMethod {
  readonly method: Method;
  readonly handle: Handler;
}

/** The same for streams, which come by gRPC only. */
export interface ServedStream {
  readonly method: StreamMethod;
  readonly handle: StreamHandler;
}

/** Pairs every unary method of a definition with its handler. */
export function servedMethods<Definition extends ServiceDefinition>(
  definition: Definition,
  handlers: HandlersOf<Definition>,
): readonly ServedMethod[] {
  return handledKeys(definition, handlers)
    .filter(([, kind]) => kind === 'unary')
    .map(([key, , handle]) => ({
      method: unaryMethod(definition, key) as Method,
      handle: handle as Handler,
    }));
}

/** Pairs every stream of a definition with its handler. */
export function servedStreams<Definition extends ServiceDefinition>(
  definition: Definition,
  handlers: HandlersOf<Definition>,
): readonly ServedStream[] {
  return handledKeys(definition, handlers)
    .filter(([, kind]) => kind === 'server-stream' || kind === 'bidirectional')
    .map(([key, kind, handle]) => {
      const construct = kind === 'bidirectional' ? bidirectionalMethod : serverStreamMethod;
      return { method: construct(definition, key) as StreamMethod, handle: handle as StreamHandler };
    });
}

function handledKeys<Definition extends ServiceDefinition>(
  definition: Definition,
  handlers: HandlersOf<Definition>,
) {
  return Object.entries(handlers).map(([key, handle]) => {
    const method = definition.methods[key];
    return [key, method && methodKindOf(method), handle] as const;
  });
}
