import { once } from 'node:events';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from 'pino';
import type { Part } from '../../runtime/lifecycle.ts';
import { type Binding, listenError } from '../../runtime/listen-error.ts';
import { readTls, type TlsFiles } from '../../runtime/tls.ts';
import { createHttpServer, type OnUpgrade, type ServerBounds } from './server.ts';

export interface HttpListenerDeps {
  readonly binding: Binding;
  readonly listener: RequestListener;
  readonly upgrade: OnUpgrade;
  readonly bounds: ServerBounds;
  /** Key and certificate for HTTPS; undefined serves HTTP. */
  readonly tls: TlsFiles | undefined;
  readonly log: Logger;
  /** How long requests in flight may take after the stop began, in milliseconds. */
  readonly graceMs: number;
}

/** Creates the HTTP listener, a part of the process. It stops without cutting off requests in flight. */
export function createHttpListener(deps: HttpListenerDeps): Part {
  const { binding, listener, upgrade, bounds, tls, log, graceMs } = deps;
  let server: Server | undefined;
  let stopping = false;
  /** Connections without a request so far, which browsers open in advance. */
  const unused = new Set<Socket>();

  return {
    name: 'http',
    start: async () => {
      // A connection that was busy when the stop began must be closed once it is idle.
      const closeIdle = () => {
        if (stopping) http.closeIdleConnections();
      };
      const http = createHttpServer(
        (req, res) => {
          unused.delete(req.socket);
          if (stopping) res.setHeader('Connection', 'close');
          res.on('close', closeIdle);
          listener(req, res);
        },
        upgrade,
        bounds,
        tls && readTls(tls),
      );
      http.on('connection', (socket) => {
        unused.add(socket);
        socket.once('close', () => unused.delete(socket));
      });
      server = http;
      http.listen(binding.port, binding.host);
      try {
        await once(http, 'listening');
      } catch (err) {
        throw listenError(err, binding);
      }
      const bound = http.address() as AddressInfo;
      log.info(
        { transport: 'http', tls: tls !== undefined, host: binding.host, port: bound.port },
        'listening',
      );
    },
    stop: async () => {
      if (!server?.listening) return;
      stopping = true;
      const timeout = setTimeout(() => {
        log.warn('requests still in flight after the grace period; closing their connections');
        server?.closeAllConnections();
      }, graceMs);
      server.close();
      for (const socket of unused) if (socket.bytesRead === 0) socket.destroy();
      await once(server, 'close');
      clearTimeout(timeout);
    },
  };
}
