import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Proxies write another one into every request. */
export const requestIdHeader = 'x-request-id';

/**
 * A request as it was written, and between whom: the same text for the same bytes, the value of `X-Request-Id` left out, on a connection between
 * the same addresses. No part can be taken for another, because none has a line feed.
 */
export function writtenAs({ socket, method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let text = `${addressesOf(socket)} ${method} ${url} ${httpVersion}`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const isRequestId = name.length === requestIdHeader.length && name.toLowerCase() === requestIdHeader;
    // Its name stays: there is a bound to how many fields there may be.
    text += `\n${name}\n${isRequestId ? '' : rawHeaders[at + 1]}`;
  }
  return text;
}

const addresses = new WeakMap<Socket, string>();

function addressesOf(socket: Socket): string {
  let text = addresses.get(socket);
  if (text === undefined) {
    text = `${socket.remoteAddress} ${socket.localAddress} ${'encrypted' in socket}`;
    addresses.set(socket, text);
  }
  return text;
}
