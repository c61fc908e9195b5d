import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A parsed message of the WebSocket. */
export type Message = Readonly<Record<string, unknown>>;

export interface LiveClient extends Disposable {
  readonly socket: WebSocket;
  /** Messages received so far. */
  readonly messages: readonly Message[];
  ask(query: object): void;
  /** Resolves with the next message not yet returned. Rejects when the connection closes first. */
  next(): Promise<Message>;
  /** Resolves with the server's close code; 1006 when the connection is cut. */
  readonly closed: Promise<number>;
  /** The server's close reason; empty while the connection is open. */
  readonly closeReason: string;
}

/** Opens `/buscar_archivos/en_vivo` of a gateway; rejects with, for instance, `HTTP 403` when it is refused. */
export async function openLive(
  url: string,
  options: { readonly path?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<LiveClient> {
  const { path = '/buscar_archivos/en_vivo', headers = {} } = options;
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, { headers });
  const messages: Message[] = [];
  let taken = 0;
  let wake: () => void = () => undefined;
  let code: number | undefined;
  let closeReason = '';
  const closed = new Promise<number>((resolve) => {
    socket.once('close', (ended, reason) => {
      code = ended;
      closeReason = reason.toString();
      wake();
      resolve(ended);
    });
  });
  socket.on('message', (data) => {
    messages.push(JSON.parse(data.toString()));
    wake();
  });
  const refused = new Promise<never>((_resolve, reject) => {
    socket.once('unexpected-response', (request, response) => {
      request.destroy();
      reject(new Error(`HTTP ${response.statusCode}`));
    });
  });
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'open'), refused]);
  return {
    socket,
    messages,
    closed,
    get closeReason() {
      return closeReason;
    },
    ask: (query) => socket.send(JSON.stringify(query)),
    next: async () => {
      while (taken === messages.length) {
        if (code !== undefined) throw new Error(`closed with ${code}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return messages[taken++] ?? {};
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}
