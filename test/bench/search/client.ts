import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';

/** As far as the benchmark looks. */
export interface Page {
  readonly total: number;
  readonly completo: boolean;
  readonly archivos: readonly { readonly ruta: string }[];
  readonly indice: { readonly estado: string };
}

/** A caller with one connection, which stays open. */
export class Caller implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** From the request to the last byte of its answer. */
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

  /** @throws unless the answer is a 200 */
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
