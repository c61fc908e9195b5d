import { codingFor } from '../http/content-coding.ts';
import { assertMatches, onlyReads } from '../http/preconditions.ts';
import type { RenderedAnswer } from '../http/rendered-answer.ts';
import type { Context, ServidoPor } from '../http/state.ts';
import { type Representation, Representations } from './representations.ts';

/**
 * Sends an answer in the client's preferred content coding, with `Servido-Por` when an operation made it. A client that has these bytes
 * gets a 304 (RFC 9110, section 13.1.2), whatever its `Cache-Control`.
 * @throws ProblemError `precondicion-no-cumplida` when `If-Match` names other bytes
 *
 * It writes to the raw response, because Koa's setters cost more than a cache lookup. Other headers must be set before.
 */
export function sendAnswer(
  ctx: Context,
  answer: RenderedAnswer | Representations,
  servidoPor?: ServidoPor,
): void | Promise<void> {
  const representations = answer instanceof Representations ? answer : new Representations(answer);
  const { status } = representations;
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch, 'accept-encoding': coding } = ctx.req.headers;
  ctx.state.servidoPor = servidoPor;
  const conditional = status === 200 && ifNoneMatch !== undefined && onlyReads(ctx);
  const known = conditional ? representations.known(ifNoneMatch) : undefined;
  const notModified = (etag: string): void =>
    write(ctx, 304, [...representations.identity.about, 'etag', etag]);
  if (known !== undefined && ifMatch === undefined) return notModified(known);
  const send = ({ etag, headers, body }: Representation): void => {
    // If-Match precedes If-None-Match (RFC 9110, section 13.2.2). Neither counts when the answer is an error.
    if (status === 200) assertMatches(ctx, etag);
    if (known === undefined) write(ctx, status, headers, body);
    else notModified(known);
  };
  const representation = representations.in(codingFor(coding));
  return representation instanceof Promise ? representation.then(send) : send(representation);
}

function write(ctx: Context, status: number, headers: readonly string[], body: Buffer | string = ''): void {
  const { res } = ctx;
  const { servidoPor } = ctx.state;
  ctx.respond = false;
  ctx.state.sentBytes = body.length;
  const all = [...headers, ...(servidoPor === undefined ? [] : ['servido-por', servidoPor])];
  if (res.getHeaderNames().length === 0) res.writeHead(status, all);
  else {
    res.statusCode = status;
    addHeaders(ctx, all);
  }
  res.end(body, 'latin1');
}

/** Adds the headers to those that are set: `Link` of a pending solicitud, `Vary: Origin` of CORS. */
function addHeaders(ctx: Context, headers: readonly string[]): void {
  const { res } = ctx;
  for (let at = 0; at < headers.length; at += 2) {
    const [name = '', value = ''] = headers.slice(at, at + 2);
    if (name === 'link') res.appendHeader(name, value);
    // Keep fields that others added to `Vary`, such as `Origin` by CORS.
    else if (name === 'vary' && res.hasHeader(name)) ctx.vary(value);
    else res.setHeader(name, value);
  }
}
