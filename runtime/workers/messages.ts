/** Declares the requests of one worker by name, with argument and answer, and the events that it reports. */
export interface Protocol {
  readonly requests: Readonly<Record<string, (argument: never) => unknown>>;
  readonly event: unknown;
}

export type RequestName<P extends Protocol> = keyof P['requests'] & string;
export type Argument<P extends Protocol, Name extends RequestName<P>> = Parameters<P['requests'][Name]>[0];
export type Answer<P extends Protocol, Name extends RequestName<P>> = ReturnType<P['requests'][Name]>;

/** Message from the client to the worker. A request without an id gets no answer. */
export type ToWorker =
  | {
      readonly kind: 'request';
      readonly id: number | undefined;
      readonly name: string;
      readonly argument: unknown;
    }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'stop' };

/** Message from the worker to the client. */
export type FromWorker =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly failure: Failed }
  | { readonly kind: 'event'; readonly event: unknown };

/**
 * An error between threads. Structured clone keeps its message, stack and cause, and loses its class and its own
 * fields; `fields` holds these, with the class's `name`.
 */
export interface Failed {
  readonly error: unknown;
  readonly fields: Readonly<Record<string, unknown>>;
}

export function toFailed(error: unknown): Failed {
  return { error, fields: error instanceof Error ? { ...error } : {} };
}

/** Restores an error's own fields, among them `name`. Its class is `Error`. */
export function fromFailed({ error, fields }: Failed): unknown {
  return error instanceof Error ? Object.assign(error, fields) : error;
}
