import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Part } from '../../runtime/lifecycle.ts';
import { answerClientError } from './client-error.ts';

export interface HttpDoorDeps {
  readonly host: string;
  readonly port: number;
  readonly listener: RequestListener;
  /** Gets the requests that ask for WebSocket. All other upgrades are ignored, as the RFC allows. */
  readonly upgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly log: Logger;
  /** What is in flight when the process stops has this long, milliseconds. */
  readonly graceMs: number;
}

/** The HTTP server as a part of the process: it listens, and it stops without cutting off what is in flight. */
export function createHttpDoor(deps: HttpDoorDeps): Part {
  const { host, port, listener, upgrade, log, graceMs } = deps;
  let server: Server | undefined;
  let stopping = false;

  return {
    name: 'http',
    start: async () => {
      const http = createServer({ shouldUpgradeCallback: asksForWebSocket }, (req, res) => {
        if (stopping) res.setHeader('Connection', 'close');
        // A connection that was busy when the stop began is idle now, and nobody else closes it.
        res.once('close', () => stopping && http.closeIdleConnections());
        listener(req, res);
      });
      http.on('clientError', answerClientError);
      http.on('upgrade', upgrade);
      server = http;
      http.listen(port, host);
      try {
        await once(http, 'listening');
      } catch (err) {
        throw portError(err, port);
      }
      const bound = http.address() as AddressInfo;
      log.info({ door: 'http', host, port: bound.port }, 'listening');
    },
    stop: async () => {
      if (server === undefined || stopping) return;
      stopping = true;
      const cut = setTimeout(() => {
        log.warn('connections that did not end in time are cut');
        server?.closeAllConnections();
      }, graceMs);
      server.close();
      await once(server, 'close');
      clearTimeout(cut);
    },
  };
}

function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';
}

function portError(err: unknown, port: number): Error {
  const code = (err as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    const suspect =
      port === 5000
        ? ' On macOS it is often AirPlay Receiver (System Settings, General, AirDrop & Handoff).'
        : '';
    return new Error(`Port ${port} is in use.${suspect} Set GATEWAY_PORT to another one.`, { cause: err });
  }
  if (code === 'EACCES')
    return new Error(`Port ${port} needs more rights. Set GATEWAY_PORT above 1023.`, { cause: err });
  return err as Error;
}
