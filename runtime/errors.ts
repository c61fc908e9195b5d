import { Status } from './status.ts';

/**
 * The one error that a handler throws on purpose. It travels as a gRPC status, over gRPC and over the queue.
 *
 * `reason` is a stable word of the API (`ruta-no-existe`): the gateway derives from it the problem's `type` and its
 * text in the caller's language. `detail` is English, for gRPC clients. On the wire both share the status message:
 * `ruta-no-existe: The folder does not exist`. Neither contains a path of the machine.
 */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: Exclude<Status, 0>;
  readonly reason: string | undefined;
  readonly detail: string;

  constructor(
    code: Exclude<Status, 0>,
    reason: string | undefined,
    detail: string,
    options?: { cause?: unknown },
  ) {
    super(reason === undefined ? detail : `${reason}: ${detail}`, options);
    this.code = code;
    this.reason = reason;
    this.detail = detail;
  }
}

/** Splits a status message into the reason and the detail that `StatusError` joined. */
export function parseStatusMessage(message: string): { reason: string | undefined; detail: string } {
  const match = /^([a-z0-9]+(?:-[a-z0-9]+)*): ([\s\S]*)$/.exec(message);
  return match ? { reason: match[1], detail: match[2] ?? '' } : { reason: undefined, detail: message };
}

/** Returns the error for an answer that the way to the gateway cannot carry: gRPC, or the broker. */
export function tooLargeError(): StatusError {
  return new StatusError(Status.INTERNAL, 'respuesta-demasiado-grande', 'The answer is too large');
}

/**
 * Converts what a handler threw to a `StatusError`. Any other error is a defect: its text stays in the log (`cause`)
 * and is not sent to the caller.
 */
export function toStatusError(thrown: unknown): StatusError {
  if (thrown instanceof StatusError) return thrown;
  return new StatusError(Status.INTERNAL, 'error-interno', 'Internal error', { cause: thrown });
}
