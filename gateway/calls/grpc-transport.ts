import { type Client, type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Method } from '../../runtime/method.ts';
import { Status, toStatus } from '../../runtime/status.ts';
import { streamRefused } from './classifier.ts';
import { type ChannelSettings, type ChannelState, createGrpcChannel } from './grpc-channel.ts';
import { originOf } from './status-origin.ts';
import type { CallOptions, Failure, Outcome, Transport } from './transport.ts';

export interface GrpcTransport extends Transport {
  /** Tells the state of its connection, and every change of it until `close`. One listener. */
  watch(listener: (state: ChannelState) => void): void;
}

/**
 * How much later than ours the deadline is that the server is told. A server notices a shared deadline at about the
 * same time as we do and answers DEADLINE_EXCEEDED; so much later, that word can only be its handler's own.
 */
const serverSlackMs = 500;

/** gRPC to one address: `host:port` or `[ipv6]:port`. */
export function createGrpcTransport(address: string, settings: ChannelSettings = {}): GrpcTransport {
  const channel = createGrpcChannel(address, settings);
  return {
    address,
    unary: (method, request, options) => unary(channel.client, method, request, options),
    watch: channel.watch,
    close: channel.close,
  };
}

/**
 * The deadline and the caller's signal are watched here, so that both end a call at once and on the monotonic clock;
 * whichever comes first names the failure.
 */
function unary<Request, Response>(
  client: Client | undefined,
  method: Method<Request, Response>,
  request: Request,
  { deadlineMs, signal, requestId, traceparent }: CallOptions,
): Promise<Outcome<Response>> {
  const { promise, resolve } = Promise.withResolvers<Outcome<Response>>();
  if (signal.aborted) {
    return Promise.resolve(failed(Status.CANCELLED, 'Aborted before it started', false, true));
  }
  if (client === undefined) {
    return Promise.resolve(failed(Status.UNAVAILABLE, 'The channel is closed', false));
  }

  let call: ClientUnaryCall | undefined;
  let headers: Metadata | undefined;
  // Null until a stream was made for it. Only an ended call tells, and `cancel` ends it.
  const wasSent = () => (call?.getAuthContext() ?? null) !== null;
  const settle = (outcome: Outcome<Response>) => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    resolve(outcome);
  };
  const giveUp = (code: Exclude<Status, 0>, message: string) => {
    call?.cancel();
    settle(failed(code, message, wasSent(), signal.aborted));
  };
  const onAbort = () => giveUp(Status.CANCELLED, 'Aborted by the caller');
  const timer = setTimeout(
    () => giveUp(Status.DEADLINE_EXCEEDED, `No answer in ${deadlineMs} ms`),
    deadlineMs,
  );
  signal.addEventListener('abort', onAbort);

  const onEnd = (error: ServiceError | null, bytes = Buffer.alloc(0)) => {
    if (error !== null) {
      return settle({ ok: false, failure: failureOf(error, headers, wasSent(), signal.aborted) });
    }
    try {
      settle({ ok: true, response: method.response.fromBinary(bytes) });
    } catch (cause) {
      settle(failed(Status.INTERNAL, `The response cannot be decoded: ${String(cause)}`, true));
    }
  };
  try {
    const metadata = new Metadata();
    metadata.set('x-request-id', requestId);
    if (traceparent !== '') metadata.set('traceparent', traceparent);
    const bytes = method.request.toBinary(request);
    const deadline = Date.now() + deadlineMs + serverSlackMs;
    call = client.makeUnaryRequest(`/${method.fullName}`, same, same, bytes, metadata, { deadline }, onEnd);
    call.on('metadata', (received: Metadata) => {
      headers = received;
    });
  } catch (cause) {
    settle(failed(Status.INTERNAL, `The request cannot be encoded: ${String(cause)}`, false));
  }
  return promise;
}

const same = (bytes: Buffer): Buffer<ArrayBuffer> => bytes as Buffer<ArrayBuffer>;

function failed(
  code: Exclude<Status, 0>,
  message: string,
  sent: boolean,
  cancelledByUs = false,
): { ok: false; failure: Failure } {
  return { ok: false, failure: { code, message, origin: 'client', sent, cancelledByUs } };
}

function failureOf(
  error: ServiceError,
  headers: Metadata | undefined,
  sent: boolean,
  cancelledByUs: boolean,
): Failure {
  const code = toStatus(error.code);
  return {
    code: code === Status.OK ? Status.UNKNOWN : code,
    message: error.details,
    origin: originOf(error, headers),
    sent: sent && error.details !== streamRefused,
    cancelledByUs,
  };
}
