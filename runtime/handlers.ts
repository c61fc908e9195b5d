import type { Logger } from 'pino';
import {
  type Method,
  type RequestOf,
  type ResponseOf,
  type ServiceDefinition,
  unaryMethod,
} from './method.ts';

/** What a handler is told besides its request. */
export interface CallContext {
  /** Aborted when the caller went away, its deadline passed, or the process must stop. */
  readonly signal: AbortSignal;
  /** The same in all processes that touch this request. */
  readonly requestId: string;
  readonly log: Logger;
}

/** Answers one request, or throws a `StatusError`. It does not know by which door the request came. */
export type Handler<Request = unknown, Response = unknown> = (
  request: Request,
  context: CallContext,
) => Promise<Response>;

/** The handlers of a service's unary rpcs, by their keys in the generated definition. Rpcs left out are UNIMPLEMENTED. */
export type HandlersOf<Definition extends ServiceDefinition> = {
  readonly [Key in keyof Definition['methods'] as Definition['methods'][Key] extends {
    requestStream: false;
    responseStream: false;
  }
    ? Key
    : never]: Handler<RequestOf<Definition['methods'][Key]>, ResponseOf<Definition['methods'][Key]>>;
};

/** A method with the handler that serves it. Both doors of a microservice are made from one list of these. */
export interface ServedMethod {
  readonly method: Method;
  readonly handle: Handler;
}

/** Pairs every unary method of a definition with its handler. */
export function servedMethods<Definition extends ServiceDefinition>(
  definition: Definition,
  handlers: HandlersOf<Definition>,
): readonly ServedMethod[] {
  return Object.entries(handlers).map(([key, handle]) => ({
    method: unaryMethod(definition, key) as Method,
    handle: handle as Handler,
  }));
}
