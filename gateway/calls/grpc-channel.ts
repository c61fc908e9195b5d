import { isIPv4, type Socket } from 'node:net';
import {
  ChannelCredentials,
  type ChannelOptions,
  Client,
  connectivityState,
  type experimental,
} from '@grpc/grpc-js';
import { maxMessageBytes } from '../../runtime/method.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';

const channelOptions: ChannelOptions = {
  // No pings of grpc-js: `silence.ts` monitors the peer. A ping's answer waits behind all data being received, and its
  // timer ignores that this process may have been held up.
  'grpc.client_idle_timeout_ms': 2 ** 31 - 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.max_receive_message_length': maxMessageBytes,
  // HTTP/2's default of 64 KiB for all calls of a connection is less than one page of a thousand entries: every page would
  // stall for a window update. This is also how much of a stream is buffered for a slow reader.
  'grpc-node.flow_control_window': 256 * 1024,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  // grpc-js honours http_proxy, but the services are on the local network, which an outbound proxy cannot reach.
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
  // Retries stay enabled: without a service config they are transparent only, for requests that no server processed.
};

/** A connection's state. `down`: the connection attempt failed. */
export type ChannelState = 'ready' | 'connecting' | 'idle' | 'down';

export interface ChannelSettings {
  /** The authority sent to the server. Default: the address. */
  readonly authority?: string | undefined;
  /** TLS material; undefined means plaintext. */
  readonly tls?: TlsMaterial | undefined;
  /** Milliseconds without a connection after which the channel is recreated. Default 5000. */
  readonly stuckMs?: number | undefined;
}

export interface GrpcChannel {
  /** Read it for each call: the client is replaced when it does not connect. Undefined once the channel is closed. */
  readonly client: Client | undefined;
  /** Reports the state and its changes to a single listener. */
  watch(listener: (state: ChannelState) => void): void;
  /** Bytes received on the connection; undefined without one. */
  readonly received: number | undefined;
  /** Cuts the connection with its calls in flight. A new one is opened at once. */
  cut(): void;
  /** Closes the channel. Calls in flight still complete. */
  close(): void;
}

/**
 * Creates a @grpc/grpc-js channel to one address, which stays connected without calls.
 *
 * grpc-js does not limit a connection attempt. One made while packets were lost waits for TCP's retransmissions, up to a
 * minute apart, long after the peer is back. So a channel that stays without a connection is replaced, with its attempts.
 */
export function createGrpcChannel(address: string, settings: ChannelSettings): GrpcChannel {
  const { authority, tls, stuckMs = 5_000 } = settings;
  const attempts = new Set<Socket>();
  let connected: Socket | undefined;
  const options =
    authority === undefined ? channelOptions : { ...channelOptions, ...authorityOptions(authority) };
  let notify: (state: ChannelState) => void = () => undefined;
  let state: ChannelState = 'idle';
  let stuck: NodeJS.Timeout | undefined;
  let client: Client | undefined;

  function open(): void {
    const credentials = credentialsFor(tls, (socket) => {
      if (opened === client) attempts.add(socket);
      else socket.destroy();
    });
    const opened = new Client(targetOf(address), credentials, options);
    client = opened;
    follow(opened);
  }

  function follow(followed: Client): void {
    if (followed !== client) return;
    const channel = followed.getChannel();
    const current = channel.getConnectivityState(true);
    if (current === connectivityState.SHUTDOWN) return;
    // In a microtask, because grpc-js calls back in the middle of its state change.
    const changed = () => queueMicrotask(() => follow(followed));
    channel.watchConnectivityState(current, Number.POSITIVE_INFINITY, changed);
    state = channelStates[current];
    if (state === 'ready') {
      clearTimeout(stuck);
      stuck = undefined;
      connected = [...attempts].at(-1);
      attempts.clear();
    } else {
      connected = undefined;
      stuck ??= setTimeout(replace, stuckMs).unref();
    }
    notify(state);
  }

  function drop(): void {
    clearTimeout(stuck);
    stuck = undefined;
    for (const socket of attempts) socket.destroy();
    attempts.clear();
    connected = undefined;
    const closing = client;
    client = undefined;
    // Deferred: a channel closed before its resolver has reported revives when it does.
    setImmediate(() => closing?.close());
  }

  function replace(): void {
    drop();
    open();
  }

  open();
  return {
    get client() {
      return client;
    },
    watch: (listener) => {
      notify = listener;
      notify(state);
    },
    get received() {
      return connected?.bytesRead;
    },
    cut: () => connected?.destroy(),
    close: drop,
  };
}

/** Adds the scheme, so that grpc-js does not mistake a host name for one. */
function targetOf(address: string): string {
  if (address.startsWith('[')) return `ipv6:${address}`;
  return isIPv4(address.slice(0, address.lastIndexOf(':'))) ? `ipv4:${address}` : `dns:${address}`;
}

const channelStates: Record<Exclude<connectivityState, connectivityState.SHUTDOWN>, ChannelState> = {
  [connectivityState.IDLE]: 'idle',
  [connectivityState.CONNECTING]: 'connecting',
  [connectivityState.READY]: 'ready',
  [connectivityState.TRANSIENT_FAILURE]: 'down',
};

/** Sets the authority, and the name that the certificate must match instead of the dialled address. */
function authorityOptions(authority: string): ChannelOptions {
  const name = authority.replace(/:\d+$/, '');
  return { 'grpc.default_authority': authority, 'grpc.ssl_target_name_override': name };
}

function credentialsFor(tls: TlsMaterial | undefined, expose: (socket: Socket) => void): ChannelCredentials {
  if (tls === undefined) return new ExposingCredentials(ChannelCredentials.createInsecure(), expose);
  const { ca = null, key = null, cert = null } = tls;
  return new ExposingCredentials(ChannelCredentials.createSsl(ca, key, cert), expose);
}

/** Credentials that also expose the sockets: grpc-js leaves those of failed attempts open. */
class ExposingCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #expose: (socket: Socket) => void;

  constructor(inner: ChannelCredentials, expose: (socket: Socket) => void) {
    super();
    this.#inner = inner;
    this.#expose = expose;
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    ...parameters: Parameters<ChannelCredentials['_createSecureConnector']>
  ): experimental.SecureConnector {
    const inner = this.#inner._createSecureConnector(...parameters);
    return {
      connect: (socket) => {
        this.#expose(socket);
        return inner.connect(socket);
      },
      waitForReady: () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }
}
