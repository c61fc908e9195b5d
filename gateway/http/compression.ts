import { codingFor, encode } from './content-coding.ts';
import type { Context, Middleware } from './state.ts';

/** Smaller bodies fit into one packet as they are. */
const worthwhileBytes = 1_000;
const ofText = /^(?:text\/|application\/(?:json|javascript|[\w.-]+\+json))/;

/**
 * Codes what routes have written as their body: documents, lists, metrics. Answers of operations have forms of their own, and
 * streams are sent as they come. Not for routes that give a secret with something that others can choose: its length tells of both.
 */
export function compression(): Middleware {
  return async (ctx, next) => {
    await next();
    const bytes = bytesOf(ctx);
    if (bytes === undefined || bytes.length < worthwhileBytes) return;
    ctx.vary('Accept-Encoding');
    const coding = codingFor(ctx.req.headers['accept-encoding']);
    if (coding === 'identity') return;
    ctx.body = await encode(bytes, coding);
    ctx.set('Content-Encoding', coding);
  };
}

/** Undefined for what is no text, or coded already, or sent by somebody else. */
function bytesOf({ respond, res, response, body, status }: Context): Buffer | undefined {
  if (respond === false || status === 204 || status === 304 || res.hasHeader('content-encoding'))
    return undefined;
  if (!ofText.test(response.get('content-type'))) return undefined;
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  return isPlain(body) ? Buffer.from(JSON.stringify(body)) : undefined;
}

/** What Koa writes as JSON. */
function isPlain(body: unknown): body is object {
  if (typeof body !== 'object' || body === null) return false;
  return Array.isArray(body) || Object.getPrototypeOf(body) === Object.prototype;
}
