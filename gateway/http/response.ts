import { type IncomingMessage, ServerResponse } from 'node:http';

/**
 * A response with common headers, which every answer has unless it sets its own. `writeHead` adds them, whether Koa, a
 * stream or `writeHead` with a list sends the answer.
 *
 * Node validates and stores each header of `setHeader`; for a dozen headers that takes a tenth of a cached answer's time. A
 * list is written as is.
 */
export class Response<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  readonly #common: string[] = [];

  setCommonHeader(name: string, value: string): void {
    this.#common.push(name, value);
  }

  override writeHead(status: number, ...rest: readonly unknown[]): this {
    const [list] = rest;
    if (Array.isArray(list) && this.getHeaderNames().length === 0) {
      return super.writeHead(status, [...this.#common, ...list]);
    }
    for (let at = 0; at < this.#common.length; at += 2) {
      const [name = '', value = ''] = this.#common.slice(at, at + 2);
      if (!this.hasHeader(name)) this.setHeader(name, value);
    }
    return super.writeHead(status, ...(rest as []));
  }
}

/** Sets a common header. On the plain response of an upgrade request it is set like any other header. */
export function setCommonHeader(res: ServerResponse, name: string, value: string): void {
  if (res instanceof Response) res.setCommonHeader(name, value);
  else res.setHeader(name, value);
}
