import { type ChannelModel, connect, credentials, type SocketOptions } from 'amqplib';
import type { TlsMaterial } from '../tls.ts';
import { urlParts } from '../url-parts.ts';
import { refusalOf } from './refusal.ts';
import { tlsOfUrl } from './url-tls.ts';

export interface ConnectOptions {
  /** Name of the connection in the management UI. */
  readonly name?: string;
  /** Cuts the connection. */
  readonly signal: AbortSignal;
}

/** Opens a connection to RabbitMQ. Rejects with the broker's own reason when it refuses. */
export async function connectTo(url: string, { name, signal }: ConnectOptions): Promise<ChannelModel> {
  const { user, password } = loginOf(url);
  const tls = tlsOfUrl(url);
  const socket: SocketOptions & TlsMaterial & { signal: AbortSignal } = {
    noDelay: true,
    signal,
    ...(name === undefined ? {} : { clientProperties: { connection_name: name } }),
    // amqplib itself decodes the URL's user and password as Latin-1.
    credentials: credentials.plain(user, password),
    ...tls,
  };
  try {
    return await connect(url, socket);
  } catch (error) {
    // amqplib drops the reason of a refusal in this one step of the handshake: a missing or forbidden virtual host, a limit.
    const isOpening = error instanceof Error && error.message.startsWith('Expected ConnectionOpenOk');
    const reason = isOpening ? await refusalOf(url, { user, password, tls, signal }) : undefined;
    throw reason === undefined ? error : new Error(reason, { cause: error });
  }
}

/** Returns the user and the password of a URL; guest and guest when it has neither. */
function loginOf(url: string): { readonly user: string; readonly password: string } {
  const { user, password } = urlParts(url);
  return user === '' && password === '' ? { user: 'guest', password: 'guest' } : { user, password };
}
