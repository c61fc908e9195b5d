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

/** Gets a request whose connection Node would give away, and the bytes that came behind it. */
export type OnUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** What bounds clients that are slow, or many. Milliseconds. */
export interface ServerBounds {
  /** From the connection, or the last answer's end, to the end of the header fields. */
  readonly headersMs: number;
  /** The same to the end of the body. */
  readonly requestMs: number;
  /** A client that takes nothing of its answer for so long is cut. */
  readonly stallMs: number;
  /** More are closed as they come. */
  readonly connections?: number | undefined;
}

const usualBounds: ServerBounds = { headersMs: 10_000, requestMs: 30_000, stallMs: 120_000 };

/**
 * An HTTP server that answers nothing by itself: what is no request gets a problem, and all that is one reaches the
 * `listener`, also without a `Host`, with an `Expect` that nobody knows, or, by `upgrade`, with `CONNECT`, for all of
 * which Node has an answer of its own. Upgrades to anything else than WebSocket are ignored, as the RFC allows.
 */
export function createHttpServer(
  listener: RequestListener,
  upgrade: OnUpgrade,
  { headersMs, requestMs, stallMs, connections }: ServerBounds = usualBounds,
  tls?: TlsMaterial,
): Server {
  const options: ServerOptions = {
    requireHostHeader: false,
    shouldUpgradeCallback: asksForWebSocket,
    // A token that is much too long is to be refused as a token.
    maxHeaderSize: 64 * 1024,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(1_000, headersMs),
  };
  const onRequest: RequestListener = (req, res) => {
    res.on('timeout', cutUnlessWaiting);
    listener(req, res);
  };
  const server: Server =
    tls === undefined
      ? createServer(options, onRequest)
      : createTlsServer({ ...options, ...tls, minVersion, handshakeTimeout: headersMs }, onRequest);
  // None is dropped in silence: they are counted where they are judged.
  server.maxHeadersCount = 0;
  server.timeout = stallMs;
  if (connections !== undefined) server.maxConnections = connections;
  server.on('clientError', answerClientError);
  server.on('checkExpectation', onRequest);
  // Whoever waits for a 100 gets it from what reads the body (RFC 9110, section 10.1.1), or is refused before it is sent.
  server.on('checkContinue', onRequest);
  server.on('upgrade', upgrade);
  server.on('connect', upgrade);
  return server;
}

/** Else Node would cut whoever waits for an answer that takes longer; who does not read one is no such client. */
function cutUnlessWaiting(socket: Socket): void {
  if (socket.writableLength > 0) socket.destroy();
}

function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}
