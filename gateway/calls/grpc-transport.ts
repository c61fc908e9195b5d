import type { Client, ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import type { Method } from '../../runtime/method.ts';
import { Status } from '../../runtime/status.ts';
import { startDeadline } from './deadline.ts';
import { failed, failureOf, metadataOf, same } from './grpc-call.ts';
import { type ChannelSettings, createGrpcChannel, type GrpcChannel } from './grpc-channel.ts';
import { openStream } from './grpc-stream.ts';
import type { CallOptions, Outcome, Transport } from './transport.ts';

export interface GrpcTransport extends Transport, Pick<GrpcChannel, 'watch' | 'received' | 'cut'> {}

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
    stream: (call, options) => openStream(channel.client, call, options),
    watch: channel.watch,
    get received() {
      return channel.received;
    },
    cut: channel.cut,
    close: channel.close,
  };
}

/** grpc-js makes an Error for each call, for the stack of one that fails, of which nobody here looks at more than its status. */
function withoutStack<Result>(make: () => Result): Result {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * The deadline and the caller's signal are watched here, so that both end a call at once and on the monotonic clock;
 * whichever comes first names the failure.
 */
function unary<Request, Response>(
  client: Client | undefined,
  method: Method<Request, Response>,
  request: Request,
  options: CallOptions,
): Promise<Outcome<Response>> {
  const { deadlineMs, signal } = options;
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
    cancelDeadline();
    signal.removeEventListener('abort', onAbort);
    resolve(outcome);
  };
  const giveUp = (code: Exclude<Status, 0>, message: string) => {
    call?.cancel();
    settle(failed(code, message, wasSent(), signal.aborted));
  };
  const onAbort = () => giveUp(Status.CANCELLED, 'Aborted by the caller');
  const begun = performance.now();
  const expire = () => giveUp(Status.DEADLINE_EXCEEDED, `No answer in ${deadlineMs} ms`);
  const cancelDeadline = startDeadline(deadlineMs, expire);
  signal.addEventListener('abort', onAbort);

  const onEnd = (error: ServiceError | null, bytes = Buffer.alloc(0)) => {
    if (error !== null) {
      // When this process was held up, the server's own deadline may be over, too.
      if (performance.now() - begun >= deadlineMs) return expire();
      return settle({ ok: false, failure: failureOf(error, headers, wasSent(), signal.aborted) });
    }
    try {
      settle({ ok: true, response: method.response.fromBinary(bytes) });
    } catch (cause) {
      settle(failed(Status.INTERNAL, `The response cannot be decoded: ${String(cause)}`, true));
    }
  };
  try {
    const metadata = metadataOf(options);
    const bytes = method.request.toBinary(request);
    const deadline = Date.now() + deadlineMs + serverSlackMs;
    call = withoutStack(() =>
      client.makeUnaryRequest(`/${method.fullName}`, same, same, bytes, metadata, { deadline }, onEnd),
    );
    call.on('metadata', (received: Metadata) => {
      headers = received;
    });
  } catch (cause) {
    settle(failed(Status.INTERNAL, `The request cannot be encoded: ${String(cause)}`, false));
  }
  return promise;
}
