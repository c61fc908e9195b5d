import { once } from 'node:events';
import { WebSocket } from 'ws';

/** What comes over the WebSocket, parsed. */
export type Message = Readonly<Record<string, unknown>>;

export interface LiveClient extends Disposable {
  readonly socket: WebSocket;
  /** All messages so far. */
  readonly messages: readonly Message[];
  ask(query: object): void;
  /** The next message that was not taken yet. Rejects when the connection is closed first. */
  next(): Promise<Message>;
  /** The code that the other side closes with; 1006 when it is cut. */
  readonly closed: Promise<number>;
}

/** Opens `/buscar_archivos/en_vivo` of a gateway; rejects with `HTTP 403` and the like when that is refused. */
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
  const closed = new Promise<number>((resolve) => {
    socket.once('close', (ended) => {
      code = ended;
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
