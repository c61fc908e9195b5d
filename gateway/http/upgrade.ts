import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The connection of a request that asked for another protocol, and the bytes that came behind it. */
export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface Upgrades {
  /** For the server's event `upgrade`: brings the request through the same middlewares as all others. */
  answerWith(listener: RequestListener): (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Whether a request asked for another protocol. */
  asked(req: IncomingMessage): boolean;
  /** Gives the connection to whoever speaks the other protocol; nobody else answers the request then. */
  take(req: IncomingMessage): Upgrade;
}

/**
 * Lets a request with `Upgrade` be refused like any other one (421, 403, 404, in the client's language and with a line in
 * the log), and a route take its connection. Node leaves all of that to the listener of `upgrade`.
 */
export function createUpgrades(): Upgrades {
  const waiting = new WeakMap<IncomingMessage, Upgrade & { readonly res: ServerResponse }>();
  return {
    answerWith: (listener) => (req, duplex, head) => {
      // What `upgrade` gives is a net.Socket, unless somebody feeds the server with other streams.
      const socket = duplex as Socket;
      socket.on('error', () => socket.destroy());
      const res = new ServerResponse(req);
      res.shouldKeepAlive = false;
      res.assignSocket(socket);
      // As Node's server does it when a response is out.
      res.once('finish', () => {
        res.detachSocket(socket);
        res.emit('close');
        socket.destroySoon();
      });
      waiting.set(req, { socket, head, res });
      listener(req, res);
    },
    asked: (req) => waiting.has(req),
    take: (req) => {
      const upgrade = waiting.get(req);
      if (upgrade === undefined) throw new TypeError('The request asked for no upgrade, or it was taken');
      waiting.delete(req);
      const { socket, head, res } = upgrade;
      res.detachSocket(socket as Socket);
      // For the log: this is when the exchange is over.
      socket.once('close', () => res.emit('close'));
      return { socket, head };
    },
  };
}
