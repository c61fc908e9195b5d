import { codingFor } from '../http/content-coding.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';
import type { Context, ServidoPor } from '../http/state.ts';
import { type Representation, Representations } from './representations.ts';

/**
 * Sends an operation's answer in the client's preferred content coding, with `Servido-Por`. A client that has these bytes
 * gets a 304 (RFC 9110, section 13.1.2), whatever its `Cache-Control`.
 *
 * It writes to the raw response, because Koa's setters cost more than a cache lookup. Other headers must be set before.
 */
export function sendAnswer(
  ctx: Context,
  answer: RenderedAnswer | Representations,
  servidoPor: ServidoPor,
): void | Promise<void> {
  const representations = answer instanceof Representations ? answer : new Representations(answer);
  const { 'if-none-match': ifNoneMatch, 'accept-encoding': acceptEncoding } = ctx.req.headers;
  ctx.state.servidoPor = servidoPor;
  if (representations.status === 200 && ifNoneMatch !== undefined) {
    const etag = representations.known(ifNoneMatch);
    if (etag !== undefined) return writeUnchanged(ctx, representations.identity, etag, servidoPor);
  }
  const representation = representations.in(codingFor(acceptEncoding));
  if (!(representation instanceof Promise))
    return write(ctx, representations.status, representation, servidoPor);
  return representation.then((made) => write(ctx, representations.status, made, servidoPor));
}

function write(ctx: Context, status: number, representation: Representation, servidoPor: ServidoPor): void {
  const { res } = ctx;
  begin(ctx, status, representation, servidoPor);
  for (const [name, value] of representation.ofBody) res.setHeader(name, value);
  res.end(representation.body);
}

function writeUnchanged(
  ctx: Context,
  representation: Representation,
  etag: string,
  servidoPor: ServidoPor,
): void {
  begin(ctx, 304, representation, servidoPor);
  ctx.res.setHeader('etag', etag);
  ctx.res.end();
}

function begin(ctx: Context, status: number, { about }: Representation, servidoPor: ServidoPor): void {
  const { res } = ctx;
  ctx.respond = false;
  res.statusCode = status;
  for (const [name, value] of about) {
    if (name === 'link') res.appendHeader(name, value);
    // Keep fields that others added to `Vary`, such as `Origin` by CORS.
    else if (name === 'vary' && res.hasHeader(name)) ctx.vary(value);
    else res.setHeader(name, value);
  }
  res.setHeader('servido-por', servidoPor);
}
