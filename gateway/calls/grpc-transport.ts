import {
  type ChannelOptions,
  Client,
  type ClientUnaryCall,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { Method } from '../../runtime/method.ts';
import { Status, toStatus } from '../../runtime/status.ts';
import { streamRefused } from './classifier.ts';
import type { CallOptions, Failure, Outcome, Transport } from './transport.ts';

/** A connection's state, as far as it matters here: `down` is a connection attempt that failed. */
export type ChannelState = 'ready' | 'connecting' | 'idle' | 'down';

export interface GrpcTransport extends Transport {
  /** Keeps a connection up without calls, and tells of every change of its state until `close`. */
  watch(listener: (state: ChannelState) => void): void;
}

const channelOptions: ChannelOptions = {
  // A frozen peer keeps its connections: only pings show it, and they must not wait for a call.
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 500,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.client_idle_timeout_ms': 2 ** 31 - 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  // grpc-js obeys http_proxy; our services are neighbours, and a proxy that is set for the outside cannot reach them.
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
};

/**
 * How much later than ours the deadline is that the server is told. A server notices a shared deadline at about the
 * same time as we do and answers DEADLINE_EXCEEDED; so much later, that word can only be its handler's own.
 */
const serverSlackMs = 500;

/**
 * gRPC over one channel of @grpc/grpc-js to one address (`host:port`, `[ipv6]:port`).
 * `authority` is what the server is told it was called by, where that is another name.
 */
export function createGrpcTransport(address: string, authority?: string): GrpcTransport {
  const client = new Client(targetOf(address), credentials.createInsecure(), {
    ...channelOptions,
    ...(authority === undefined ? {} : { 'grpc.default_authority': authority }),
  });

  return {
    address,
    unary: (method, request, options) => unary(client, method, request, options),
    watch: (listener) => watch(client, listener),
    close: () => client.close(),
  };
}

/** With its scheme, so that no host name is taken for one. */
function targetOf(address: string): string {
  if (address.startsWith('[')) return `ipv6:${address}`;
  return /^[\d.]+:\d+$/.test(address) ? `ipv4:${address}` : `dns:${address}`;
}

function unary<Request, Response>(
  client: Client,
  method: Method<Request, Response>,
  request: Request,
  { deadlineMs, signal, requestId, traceparent }: CallOptions,
): Promise<Outcome<Response>> {
  const { promise, resolve } = Promise.withResolvers<Outcome<Response>>();
  if (signal.aborted)
    return Promise.resolve(failed(Status.CANCELLED, 'Aborted before it started', false, true));

  let call: ClientUnaryCall | undefined;
  let headers: Metadata | undefined;
  // Only a cancelled or ended call tells: grpc-js knows the call's connection once its last attempt is settled.
  const wasSent = () => (call?.getAuthContext() ?? null) !== null;
  const giveUp = (code: Exclude<Status, 0>, message: string) => {
    call?.cancel();
    settle(failed(code, message, wasSent(), signal.aborted));
  };
  const onAbort = () => giveUp(Status.CANCELLED, 'Aborted by the caller');
  const timer = setTimeout(
    () => giveUp(Status.DEADLINE_EXCEEDED, `No answer in ${deadlineMs} ms`),
    deadlineMs,
  );
  const settle = (outcome: Outcome<Response>) => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    resolve(outcome);
  };
  signal.addEventListener('abort', onAbort);

  const onEnd = (error: ServiceError | null, bytes?: Buffer) => {
    if (error !== null)
      return settle({ ok: false, failure: failureOf(error, headers, wasSent(), signal.aborted) });
    try {
      settle({ ok: true, response: method.response.fromBinary(bytes as Buffer) });
    } catch (cause) {
      settle(failed(Status.INTERNAL, `Response message parsing error: ${String(cause)}`, true));
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
    const closed = client.getChannel().getConnectivityState(false) === connectivityState.SHUTDOWN;
    settle(
      closed
        ? failed(Status.UNAVAILABLE, 'The channel is closed', false)
        : failed(Status.INTERNAL, `Request message serialization failure: ${String(cause)}`, false),
    );
  }
  return promise;
}

const same = (bytes: Buffer): Buffer => bytes;

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

/**
 * Who made a status. grpc-js marks it nowhere; but a status without response headers carries them itself (a
 * trailers-only response), and the ones that grpc-js makes carry nothing. Where headers came and the trailers hold
 * nothing more, the text decides: grpc-js has a fixed set.
 */
function originOf({ details, metadata }: ServiceError, headers: Metadata | undefined): Failure['origin'] {
  if (/^Received HTTP status code \d/.test(details)) return 'intermediary';
  if (details === noMessage) return 'client';
  const contentType = (headers ?? metadata).get('content-type')[0];
  if (contentType === undefined) return 'client';
  if (!String(contentType).startsWith('application/grpc')) return 'intermediary';
  return headers !== undefined && madeByClient.test(details) ? 'client' : 'server';
}

/** What grpc-js says of status OK without a message; it keeps that status's metadata. */
const noMessage = 'No message received';

const madeByClient = new RegExp(
  `^(?:${[
    'Received RST_STREAM with code \\d',
    'Connection dropped$',
    'Call cancelled$',
    `${streamRefused}$`,
    'Bandwidth exhausted or memory limit exceeded$',
    'Protocol not secure enough$',
    'Received message larger than max',
    'Write error: ',
    'Write failed with error ',
    'Too many responses received$',
    'No status information received$',
    'read E',
    'write E',
  ].join('|')})`,
);

function watch(client: Client, listener: (state: ChannelState) => void): void {
  const channel = client.getChannel();
  const next = () => {
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.SHUTDOWN) return;
    listener(channelStates[state]);
    // In its own turn: grpc-js calls back in the middle of changing its state.
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => queueMicrotask(next));
  };
  next();
}

const channelStates: Record<Exclude<connectivityState, connectivityState.SHUTDOWN>, ChannelState> = {
  [connectivityState.IDLE]: 'idle',
  [connectivityState.CONNECTING]: 'connecting',
  [connectivityState.READY]: 'ready',
  [connectivityState.TRANSIENT_FAILURE]: 'down',
};
