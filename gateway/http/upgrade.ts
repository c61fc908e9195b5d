import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The socket of an upgrade request, and the first bytes after it. */
export interface Upgrade {
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface Upgrades {
  /** Returns the handler of the server's event `upgrade`, which sends the request through the middlewares. */
  answerWith(listener: RequestListener): (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Returns whether a request asked for an upgrade. */
  asked(req: IncomingMessage): boolean;
  /** Hands the socket over to another protocol. The request gets no HTTP answer afterwards. */
  take(req: IncomingMessage): Upgrade;
}

/**
 * Sends upgrade requests through the middlewares, and lets a route take their socket. A refusal (421, 403, 404) is then
 * rendered and logged like any other. Node leaves all of that to the listener of `upgrade`.
 */
export function createUpgrades(): Upgrades {
  const pending = new WeakMap<IncomingMessage, Upgrade & { readonly res: ServerResponse }>();
  return {
    answerWith: (listener) => (req, duplex, head) => {
      // The event gives a net.Socket, unless the server was fed with other streams.
      const socket = duplex as Socket;
      socket.on('error', () => socket.destroy());
      const res = new ServerResponse(req);
      res.shouldKeepAlive = false;
      res.assignSocket(socket);
      // As Node's server does after a response.
      res.once('finish', () => {
        res.detachSocket(socket);
        res.emit('close');
        socket.destroySoon();
      });
      pending.set(req, { socket, head, res });
      listener(req, res);
    },
    asked: (req) => pending.has(req),
    take: (req) => {
      const upgrade = pending.get(req);
      if (upgrade === undefined) throw new TypeError('The request asked for no upgrade, or it was taken');
      pending.delete(req);
      const { socket, head, res } = upgrade;
      res.detachSocket(socket as Socket);
      // The access log ends the exchange on this event.
      socket.once('close', () => res.emit('close'));
      return { socket, head };
    },
  };
}
