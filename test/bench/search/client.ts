import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';

/** The parts of an answer that the benchmark reads. */
export interface Page {
  readonly total: number;
  readonly completo: boolean;
  readonly archivos: readonly { readonly ruta: string }[];
  readonly indice: { readonly estado: string };
}

/** An HTTP client with one connection that stays open. */
export class TimedClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Sends a GET; measures until the last byte of the answer. */
  async timed(
    path: string,
  ): Promise<{ readonly ms: number; readonly status: number; readonly body: Buffer }> {
    const began = performance.now();
    const [response] = (await once(get(this.#url + path, { agent: this.#agent }), 'response')) as [
      IncomingMessage,
    ];
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    const ms = performance.now() - began;
    return { ms, status: response.statusCode ?? 0, body: Buffer.concat(pieces) };
  }

  /** Searches, and parses the answer. @throws unless the status is 200 */
  async page(query: Readonly<Record<string, string>>): Promise<Page & { readonly ms: number }> {
    const { ms, status, body } = await this.timed(searchPath(query));
    if (status !== 200) throw new Error(`${searchPath(query)}: ${status} ${body}`);
    return { ...(JSON.parse(body.toString()) as Page), ms };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

export function searchPath(query: Readonly<Record<string, string>>): string {
  return `/buscar_archivos?${new URLSearchParams(query)}`;
}
