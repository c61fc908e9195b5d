import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TlsMaterial } from '../tls.ts';
import { urlParts } from '../url-parts.ts';

/**
 * Returns the text of an error. Of an operation that the broker refused, it is the broker's own reason:
 * `PRECONDITION_FAILED - inequivalent arg 'type' for exchange…`. For a host with several addresses, the refused
 * connections are in an AggregateError.
 */
export function brokerReason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(brokerReason).join('; ');
  const text = error instanceof Error ? error.message : String(error);
  return /with message "(.*)"$/s.exec(text)?.[1] ?? text.trim();
}

/** Methods of the class `connection`: https://www.rabbitmq.com/amqp-0-9-1-reference#connection */
const connectionClass = 10;
const method = { start: 10, startOk: 11, tune: 30, tuneOk: 31, open: 40, close: 50 };

export interface RefusalOptions {
  readonly user: string;
  readonly password: string;
  readonly tls: TlsMaterial;
  readonly signal: AbortSignal;
}

/**
 * Asks the broker to open a connection, and returns why it refuses: `NOT_ALLOWED - vhost x not found`. Undefined when it
 * does not refuse, or ends the connection without a reason. It speaks just enough of AMQP 0-9-1 for that.
 */
export async function refusalOf(
  url: string,
  { user, password, tls, signal }: RefusalOptions,
): Promise<string | undefined> {
  const { path } = urlParts(url);
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const plain = protocol === 'amqp:';
  const address = { host, port: Number(port || (plain ? 5672 : 5671)), signal };
  const socket = plain
    ? connect(address)
    : connectTls({ ...address, ...(isIP(host) === 0 && { servername: host }), ...tls });
  try {
    await once(socket, plain ? 'connect' : 'secureConnect', { signal });
    socket.write(Buffer.from('AMQP\0\0\x09\x01', 'latin1'));
    for await (const { id, body } of methodsFrom(socket)) {
      if (id === method.close) return shortTextAt(body, 2);
      else if (id === method.start) {
        const secret = Buffer.from(`\0${user}\0${password}`);
        const noProperties = Buffer.alloc(4);
        send(
          socket,
          method.startOk,
          noProperties,
          shortText('PLAIN'),
          uint32(secret.length),
          secret,
          shortText('en_US'),
        );
      } else if (id === method.tune) {
        send(socket, method.tuneOk, body);
        send(socket, method.open, shortText(path || '/'), shortText(''), Buffer.alloc(1));
      } else return undefined;
    }
  } catch {
    // The refusal itself is known already; only its reason is missing.
  } finally {
    socket.destroy();
  }
  return undefined;
}

/** Reads the methods that a broker sends on channel 0. */
async function* methodsFrom(socket: Socket): AsyncGenerator<{ readonly id: number; readonly body: Buffer }> {
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    // A frame: type, channel, size; its payload, which begins with the class and the method; an end byte.
    while (received.length >= 7 && received.length >= 8 + received.readUInt32BE(3)) {
      const payload = received.subarray(7, 7 + received.readUInt32BE(3));
      yield { id: payload.readUInt16BE(2), body: payload.subarray(4) };
      received = received.subarray(8 + payload.length);
    }
  }
}

function send(socket: Socket, id: number, ...fields: readonly Buffer[]): void {
  const payload = Buffer.concat([uint32(connectionClass * 0x1_0000 + id), ...fields]);
  socket.write(Buffer.concat([Buffer.from([1, 0, 0]), uint32(payload.length), payload, Buffer.from([0xce])]));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function shortTextAt(bytes: Buffer, at: number): string {
  return bytes.toString('utf8', at + 1, at + 1 + bytes.readUInt8(at));
}
