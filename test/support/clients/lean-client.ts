import { connect, type Socket } from 'node:net';

/** The parts of an answer that the measurements read. */
export interface LeanAnswer {
  readonly status: number;
  /** Status line and header fields, up to the empty line. */
  readonly head: string;
  readonly body: string;
}

interface Asking extends PromiseWithResolvers<LeanAnswer> {
  readonly request: string;
}

const contentLength = /\r\ncontent-length: (\d+)/i;

/**
 * Minimal HTTP client for measurements. It needs a server that keeps connections open and always sends Content-Length, as
 * the gateway does. Node's own client takes more processor time, which would distort results where client and servers
 * share two cores.
 */
export class LeanClient implements Disposable {
  readonly #host: string;
  readonly #idle: Connection[] = [];
  readonly #all: Connection[] = [];
  readonly #waiting: Asking[] = [];

  constructor(url: string, connections: number) {
    const { host, hostname, port } = new URL(url);
    this.#host = host;
    for (let n = 0; n < connections; n++) {
      const connection = new Connection(connect(Number(port), hostname), () => this.#next(connection));
      this.#all.push(connection);
      this.#idle.push(connection);
    }
  }

  /**
   * Sends a GET, once a connection is free. Rejects when its connection is lost.
   * @param fields additional header fields, each with its CRLF
   */
  get(path: string, fields = ''): Promise<LeanAnswer> {
    const request = `GET ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${fields}\r\n`;
    const asking = { request, ...Promise.withResolvers<LeanAnswer>() };
    const connection = this.#idle.pop();
    if (connection === undefined) this.#waiting.push(asking);
    else connection.ask(asking);
    return asking.promise;
  }

  [Symbol.dispose](): void {
    for (const connection of this.#all) connection.close();
  }

  #next(connection: Connection): void {
    const asking = this.#waiting.shift();
    if (asking === undefined) this.#idle.push(connection);
    else connection.ask(asking);
  }
}

/** A connection that carries one request at a time. */
class Connection {
  readonly #socket: Socket;
  #asking: Asking | undefined;
  #received = '';

  constructor(socket: Socket, onIdle: () => void) {
    this.#socket = socket.setNoDelay(true).setEncoding('utf8');
    socket.on('data', (text) => {
      this.#received += text;
      const answer = wholeAnswer(this.#received);
      if (answer === undefined) return;
      const asking = this.#asking;
      this.#asking = undefined;
      this.#received = '';
      onIdle();
      asking?.resolve(answer);
    });
    const lost = (error?: Error | boolean): void =>
      this.#asking?.reject(error instanceof Error ? error : new Error('The connection was closed'));
    socket.on('error', lost).on('close', lost);
  }

  ask(asking: Asking): void {
    this.#asking = asking;
    this.#socket.write(asking.request);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Parses a complete answer; returns undefined while it is incomplete. */
function wholeAnswer(text: string): LeanAnswer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const body = text.slice(end + 4);
  const length = contentLength.exec(head)?.[1];
  if (length === undefined) throw new Error(`No Content-Length: ${head}`);
  if (Buffer.byteLength(body) < Number(length)) return undefined;
  return { status: Number(head.slice(9, 12)), head, body };
}
