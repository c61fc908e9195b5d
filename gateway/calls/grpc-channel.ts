import { isIPv4, type Socket } from 'node:net';
import {
  CallCredentials,
  ChannelCredentials,
  type ChannelOptions,
  Client,
  connectivityState,
  type experimental,
} from '@grpc/grpc-js';
import type { TlsMaterial } from '../../runtime/tls.ts';

const channelOptions: ChannelOptions = {
  // No pings of grpc-js: `silence.ts` watches the peer. A ping's answer waits behind all that is being received, and its
  // timer does not know that this process was held up itself.
  'grpc.client_idle_timeout_ms': 2 ** 31 - 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  // HTTP/2's own 64 KiB, for all calls of a connection together, are less than one page of a thousand entries: every page
  // would stop in its middle and wait for the window. As much of a stream may lie here for a reader that is slow.
  'grpc-node.flow_control_window': 256 * 1024,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
  // grpc-js obeys http_proxy; our services are neighbours, and a proxy that is set for the outside cannot reach them.
  'grpc.enable_http_proxy': 0,
  'grpc.enable_channelz': 0,
  // Retries stay on: without a service config they are only the transparent ones, of what no server has worked on.
};

/** A connection's state; `down` is a connection attempt that failed. */
export type ChannelState = 'ready' | 'connecting' | 'idle' | 'down';

export interface ChannelSettings {
  /** What the server is told it was called by. Default: the address. */
  readonly authority?: string | undefined;
  /** Without it, nothing is encrypted. */
  readonly tls?: TlsMaterial | undefined;
  /** How long the channel may be without a connection before it is made anew, in milliseconds. Default 5000. */
  readonly stuckMs?: number | undefined;
}

export interface GrpcChannel {
  /** Not to be kept: it is replaced when it does not connect. Undefined once the channel is closed. */
  readonly client: Client | undefined;
  /** Tells the state, and every change of it. One listener. */
  watch(listener: (state: ChannelState) => void): void;
  /** How many bytes the connection has received; undefined without a connection. */
  readonly received: number | undefined;
  /** Cuts the connection, and the calls in flight with it. A new one is made at once. */
  cut(): void;
  /** Calls in flight still end on their own. */
  close(): void;
}

/**
 * A channel of @grpc/grpc-js to one address, kept connected without calls. grpc-js has no limit for a connection
 * attempt: one that was made while packets got lost would wait for TCP's own retransmissions, which are a minute apart
 * in the end, long after the peer is back. So a channel that stays without a connection is thrown away, and its
 * attempts with it.
 */
export function createGrpcChannel(address: string, settings: ChannelSettings): GrpcChannel {
  const { authority, tls, stuckMs = 5_000 } = settings;
  const attempts = new Set<Socket>();
  let connected: Socket | undefined;
  const options = authority === undefined ? channelOptions : { ...channelOptions, ...calledBy(authority) };
  let tell: (state: ChannelState) => void = () => undefined;
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
    // In a turn of its own: grpc-js calls back while it is still changing its state.
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
    tell(state);
  }

  function drop(): void {
    clearTimeout(stuck);
    stuck = undefined;
    for (const socket of attempts) socket.destroy();
    attempts.clear();
    connected = undefined;
    const dropped = client;
    client = undefined;
    // Not now: a channel that is closed before its resolver has reported comes back to life when it does.
    setImmediate(() => dropped?.close());
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
      tell = listener;
      tell(state);
    },
    get received() {
      return connected?.bytesRead;
    },
    cut: () => connected?.destroy(),
    close: drop,
  };
}

/** With its scheme, so that no host name is taken for one. */
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

/** What the server is told it was called by, and what its certificate must be for: not for the address of the day. */
function calledBy(authority: string): ChannelOptions {
  const name = authority.replace(/:\d+$/, '');
  return { 'grpc.default_authority': authority, 'grpc.ssl_target_name_override': name };
}

function credentialsFor(tls: TlsMaterial | undefined, show: (socket: Socket) => void): ChannelCredentials {
  if (tls === undefined) return new Plaintext(show);
  const { ca = null, key = null, cert = null } = tls;
  return new Encrypted(ChannelCredentials.createSsl(ca, key, cert), show);
}

/** TLS by grpc-js; it shows the sockets, too. */
class Encrypted extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #show: (socket: Socket) => void;

  constructor(inner: ChannelCredentials, show: (socket: Socket) => void) {
    super();
    this.#inner = inner;
    this.#show = show;
  }

  override _isSecure(): boolean {
    return true;
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
        this.#show(socket);
        return inner.connect(socket);
      },
      waitForReady: () => inner.waitForReady(),
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }
}

/** No TLS, as `credentials.createInsecure()`; but it shows the sockets, which grpc-js leaves open when it gives up. */
class Plaintext extends ChannelCredentials {
  readonly #show: (socket: Socket) => void;

  constructor(show: (socket: Socket) => void) {
    super();
    this.#show = show;
  }

  override _isSecure(): boolean {
    return false;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(): experimental.SecureConnector {
    const none = CallCredentials.createEmpty();
    return {
      connect: async (socket) => {
        this.#show(socket);
        return { socket, secure: false };
      },
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => none,
      destroy: () => undefined,
    };
  }
}
