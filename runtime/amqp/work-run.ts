import type { Logger } from 'pino';
import { StatusError, tooLargeError, toStatusError } from '../errors.ts';
import type { ServedMethod } from '../handlers.ts';
import { type Codec, maxMessageBytes } from '../method.ts';
import { ProtoJsonError } from '../proto-json-error.ts';
import { Status } from '../status.ts';
import type { WorkMessage, WorkResult } from './work-message.ts';

export type WorkOutcome =
  | WorkResult
  /** The service cannot work yet (its root is missing, its index is being built): the request must wait. */
  | { readonly kind: 'not-yet'; readonly reason: string };

export interface RunOptions {
  readonly methods: ReadonlyMap<string, ServedMethod>;
  readonly timeoutMs: number;
  /** Aborted when the process stops; the outcome is then ignored. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Runs the handler of one request. Never rejects: a thrown error is an outcome. */
export async function runWork(work: WorkMessage, options: RunOptions): Promise<WorkOutcome> {
  const { methods, timeoutMs, signal, log } = options;
  const bound = new AbortController();
  const tooLate = (): void => {
    bound.abort(
      new StatusError(Status.DEADLINE_EXCEEDED, undefined, `The work took more than ${timeoutMs} ms`),
    );
  };
  const cancel = (): void => {
    bound.abort(new StatusError(Status.CANCELLED, undefined, 'The service is stopping'));
  };
  const timer = setTimeout(tooLate, timeoutMs);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    // The process may have stopped while the request waited for its turn.
    if (signal.aborted) throw new StatusError(Status.CANCELLED, undefined, 'The service is stopping');
    if (work.problem !== undefined) throw new StatusError(Status.INVALID_ARGUMENT, undefined, work.problem);
    const served = methods.get(work.type);
    if (served === undefined)
      throw new StatusError(Status.UNIMPLEMENTED, undefined, `No method ${work.type}`);
    const request = await parse(served.method.request, work.request);
    const context = {
      signal: bound.signal,
      requestId: work.requestId,
      queued: true,
      stopping: signal,
      log,
    };
    const response = await Promise.race([served.handle(request, context), aborted(bound.signal)]);
    return { kind: 'answer', response: textOf(served.method.response, response) };
  } catch (thrown) {
    const error = toStatusError(thrown);
    if (error.code === Status.UNAVAILABLE) return { kind: 'not-yet', reason: error.message };
    if (error !== thrown) log.error({ err: thrown }, 'a handler failed');
    return { kind: 'status', code: error.code, message: error.message };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

/** Throws INVALID_ARGUMENT. An unknown field is refused: it may be a mistake, and nothing else would tell. */
async function parse(codec: Codec<unknown>, json: string): Promise<unknown> {
  try {
    return await codec.parse(json, { unknownFields: 'refuse' });
  } catch (error) {
    if (!(error instanceof ProtoJsonError)) throw error;
    throw new StatusError(Status.INVALID_ARGUMENT, undefined, error.message, { cause: error });
  }
}

/**
 * Returns an answer's JSON. Throws the error of the call by gRPC when that could not carry the answer. The JSON is longer
 * than the message in bytes, which is thus made of large answers only; a UTF-16 unit has at most 3 bytes.
 */
function textOf(codec: Codec<unknown>, response: unknown): string {
  const text = JSON.stringify(codec.toJson(response));
  if (text.length * 3 > maxMessageBytes && codec.toBinary(response).length > maxMessageBytes)
    throw tooLargeError();
  return text;
}

/** Rejects when the signal is aborted, because a handler may ignore it. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true }),
  );
}
