import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerClientError } from './client-error.ts';

/** Gets a request whose connection Node would give away, and the bytes that came behind it. */
export type OnUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * An HTTP server that answers nothing by itself: what is no request gets a problem, and all that is one reaches the
 * `listener`, also without a `Host`, with an `Expect` that nobody knows, or, by `upgrade`, with `CONNECT`, for all of
 * which Node has an answer of its own. Upgrades to anything else than WebSocket are ignored, as the RFC allows.
 */
export function createHttpServer(listener: RequestListener, upgrade: OnUpgrade): Server {
  const options = { requireHostHeader: false, shouldUpgradeCallback: asksForWebSocket };
  const server = createServer(options, listener);
  server.on('clientError', answerClientError);
  server.on('checkExpectation', listener);
  server.on('upgrade', upgrade);
  server.on('connect', upgrade);
  return server;
}

function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}
