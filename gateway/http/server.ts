import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { minVersion, type TlsMaterial } from '../../runtime/tls.ts';
import { answerClientError } from './client-error.ts';
import { Response } from './response.ts';

/** Receives an upgrade request, its socket and the first bytes after it. */
export type OnUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Bounds on slow or numerous clients, in milliseconds. */
export interface ServerBounds {
  /** From the connection, or the end of the last answer, to the end of the header fields. */
  readonly headersMs: number;
  /** From that moment to the end of the body. */
  readonly requestMs: number;
  /** How long a connection may be idle between two requests. */
  readonly keepAliveMs: number;
  /** A client that reads nothing of its answer for this long is disconnected. */
  readonly stallMs: number;
  /** Maximum connections; further ones are closed at once. */
  readonly connections?: number | undefined;
}

const defaultBounds: ServerBounds = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 75_000,
  stallMs: 120_000,
};

/**
 * Creates an HTTP server without answers of its own: invalid HTTP gets a problem, and every request reaches the
 * `listener`. That includes requests without `Host`, with an unknown `Expect` or, by `upgrade`, with `CONNECT`, which Node
 * would answer itself. Upgrades to other protocols than WebSocket are ignored, as the RFC allows.
 */
export function createHttpServer(
  listener: RequestListener,
  upgrade: OnUpgrade,
  { headersMs, requestMs, keepAliveMs, stallMs, connections }: ServerBounds = defaultBounds,
  tls?: TlsMaterial,
): Server {
  const options: ServerOptions = {
    ServerResponse: Response,
    requireHostHeader: false,
    shouldUpgradeCallback: asksForWebSocket,
    // Large enough that an overlong token is refused as a token.
    maxHeaderSize: 64 * 1024,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(1_000, headersMs),
  };
  const onRequest: RequestListener = (req, res) => {
    res.on('timeout', closeUnlessWaiting);
    listener(req, res);
  };
  const server: Server =
    tls === undefined
      ? createServer(options, onRequest)
      : createTlsServer({ ...options, ...tls, minVersion, handshakeTimeout: headersMs }, onRequest);
  // Unlimited, because Node drops further headers silently; well-formed.ts limits their number.
  server.maxHeadersCount = 0;
  server.timeout = stallMs;
  if (connections !== undefined) server.maxConnections = connections;
  server.on('clientError', answerClientError);
  server.on('checkExpectation', onRequest);
  // A client that expects 100 gets it from the reader of the body (RFC 9110, section 10.1.1), or a refusal before sending.
  server.on('checkContinue', onRequest);
  server.on('upgrade', upgrade);
  server.on('connect', upgrade);
  return server;
}

/** Keeps a client that waits for a slow answer. Only a client that does not read its answer is disconnected. */
function closeUnlessWaiting(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
}

function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}
