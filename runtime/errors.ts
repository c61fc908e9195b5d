import { Status } from './status.ts';

/**
 * The one error that a handler throws on purpose. It travels as a gRPC status over both doors.
 *
 * `reason` is a stable word of the API (`ruta-no-existe`), from which the gateway makes the problem's `type` and its
 * text in the caller's language; `detail` is English and is for whoever calls by gRPC. On the wire both share the
 * status message: `ruta-no-existe: The folder does not exist`. Neither ever holds a path of the machine.
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

/** Splits a status message into the reason and the detail that `StatusError` put together. */
export function parseStatusMessage(message: string): { reason: string | undefined; detail: string } {
  const match = /^([a-z0-9]+(?:-[a-z0-9]+)*): ([\s\S]*)$/.exec(message);
  return match ? { reason: match[1], detail: match[2] ?? '' } : { reason: undefined, detail: message };
}

/**
 * What a handler threw, as a status. Anything but a `StatusError` is a bug: its text stays in the log (`cause`), and
 * the caller learns nothing of it.
 */
export function toStatusError(thrown: unknown): StatusError {
  if (thrown instanceof StatusError) return thrown;
  return new StatusError(Status.INTERNAL, 'error-interno', 'Internal error', { cause: thrown });
}
