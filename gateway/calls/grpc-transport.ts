import type { Client, ClientUnaryCall, Metadata, ServiceError } from '@grpc/grpc-js';
import type { Method } from '../../runtime/method.ts';
import { Status } from '../../runtime/status.ts';
import { startDeadline } from './deadline.ts';
import { failed, failureOf, metadataOf, passBytes } from './grpc-call.ts';
import { type ChannelSettings, createGrpcChannel, type GrpcChannel } from './grpc-channel.ts';
import { openStream } from './grpc-stream.ts';
import type { CallOptions, Transport, TransportResult } from './transport.ts';

export interface GrpcTransport extends Transport, Pick<GrpcChannel, 'watch' | 'received' | 'cut'> {}

/**
 * How much the deadline sent to the server exceeds the local one. With equal deadlines the server would answer
 * DEADLINE_EXCEEDED at about the same moment. With the slack that status can only be the handler's own.
 */
const serverSlackMs = 500;

/** Creates a gRPC transport to one address: `host:port` or `[ipv6]:port`. */
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

/**
 * Makes a unary call. The deadline and the request's signal are watched here, so that both end the call at once and by the
 * monotonic clock. The first to fire determines the failure.
 */
function unary<Request, Response>(
  client: Client | undefined,
  method: Method<Request, Response>,
  request: Request,
  options: CallOptions,
): Promise<TransportResult<Response>> {
  const { deadlineMs, signal } = options;
  const { promise, resolve } = Promise.withResolvers<TransportResult<Response>>();
  if (signal.aborted) {
    return Promise.resolve(failed(Status.CANCELLED, 'Aborted before it started', false, true));
  }
  if (client === undefined) {
    return Promise.resolve(failed(Status.UNAVAILABLE, 'The channel is closed', false));
  }

  let call: ClientUnaryCall | undefined;
  let headers: Metadata | undefined;
  // Null if no stream was made for the call. Known only after the call has ended, and `cancel` ends it.
  const wasSent = () => (call?.getAuthContext() ?? null) !== null;
  const settle = (outcome: TransportResult<Response>) => {
    cancelDeadline();
    signal.removeEventListener('abort', onAbort);
    resolve(outcome);
  };
  const giveUp = (code: Exclude<Status, 0>, message: string) => {
    call?.cancel();
    settle(failed(code, message, wasSent(), signal.aborted));
  };
  const onAbort = () => giveUp(Status.CANCELLED, 'Aborted by its signal');
  const startedAt = performance.now();
  const expire = () => giveUp(Status.DEADLINE_EXCEEDED, `No answer in ${deadlineMs} ms`);
  const cancelDeadline = startDeadline(deadlineMs, expire);
  signal.addEventListener('abort', onAbort);

  const onEnd = (error: ServiceError | null, bytes = Buffer.alloc(0)) => {
    if (error !== null) {
      // After this process was held up, the server's own deadline may have passed as well.
      if (performance.now() - startedAt >= deadlineMs) return expire();
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
    call = client.makeUnaryRequest(
      `/${method.fullName}`,
      passBytes,
      passBytes,
      bytes,
      metadata,
      { deadline },
      onEnd,
    );
    call.on('metadata', (received: Metadata) => {
      headers = received;
    });
  } catch (cause) {
    settle(failed(Status.INTERNAL, `The request cannot be encoded: ${String(cause)}`, false));
  }
  return promise;
}
