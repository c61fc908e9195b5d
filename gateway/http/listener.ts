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
  /** HTTPS instead of HTTP. */
  readonly tls: TlsFiles | undefined;
  readonly log: Logger;
  /** What is in flight when the process stops has this long, milliseconds. */
  readonly graceMs: number;
}

/** The HTTP server as a part of the process: it listens, and it stops without cutting off what is in flight. */
export function createHttpListener(deps: HttpListenerDeps): Part {
  const { binding, listener, upgrade, bounds, tls, log, graceMs } = deps;
  let server: Server | undefined;
  let stopping = false;
  /** Connections that have not asked for anything yet, as browsers open them in advance. */
  const silent = new Set<Socket>();

  return {
    name: 'http',
    start: async () => {
      // A connection that was busy when the stop began is idle now, and nobody else closes it.
      const closeIdle = () => {
        if (stopping) http.closeIdleConnections();
      };
      const http = createHttpServer(
        (req, res) => {
          silent.delete(req.socket);
          if (stopping) res.setHeader('Connection', 'close');
          res.once('close', closeIdle);
          listener(req, res);
        },
        upgrade,
        bounds,
        tls && readTls(tls),
      );
      http.on('connection', (socket) => {
        silent.add(socket);
        socket.once('close', () => silent.delete(socket));
      });
      server = http;
      http.listen(binding.port, binding.host);
      try {
        await once(http, 'listening');
      } catch (err) {
        throw listenError(err, binding);
      }
      const bound = http.address() as AddressInfo;
      log.info({ door: 'http', tls: tls !== undefined, host: binding.host, port: bound.port }, 'listening');
    },
    stop: async () => {
      if (!server?.listening) return;
      stopping = true;
      const cut = setTimeout(() => {
        log.warn('connections that did not end in time are cut');
        server?.closeAllConnections();
      }, graceMs);
      server.close();
      for (const socket of silent) if (socket.bytesRead === 0) socket.destroy();
      await once(server, 'close');
      clearTimeout(cut);
    },
  };
}
