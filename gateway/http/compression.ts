import { codingFor, encode } from './content-coding.ts';
import type { Context, Middleware } from './state.ts';

/** Compression threshold: smaller bodies fit into one packet anyway. */
const minBytes = 1_000;
const textTypes = /^(?:text\/|application\/(?:json|javascript|[\w.-]+\+json))/;

/**
 * Compresses the bodies of routes: documents, lists, metrics. Answers of operations have representations of their own, and
 * streams are sent uncompressed. Not for routes that mix a secret with client input: the length would reveal the secret.
 */
export function compression(): Middleware {
  return async (ctx, next) => {
    await next();
    const bytes = bytesOf(ctx);
    if (bytes === undefined || bytes.length < minBytes) return;
    ctx.vary('Accept-Encoding');
    const coding = codingFor(ctx.req.headers['accept-encoding']);
    if (coding === 'identity') return;
    ctx.body = await encode(bytes, coding);
    ctx.set('Content-Encoding', coding);
  };
}

/** Returns undefined for a body that is not text, is already coded, or is not sent by Koa. */
function bytesOf({ respond, res, response, body, status }: Context): Buffer | undefined {
  if (respond === false || status === 204 || status === 304 || res.hasHeader('content-encoding'))
    return undefined;
  if (!textTypes.test(response.get('content-type'))) return undefined;
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  return isJson(body) ? Buffer.from(JSON.stringify(body)) : undefined;
}

/** Returns whether Koa serializes the body as JSON. */
function isJson(body: unknown): body is object {
  if (typeof body !== 'object' || body === null) return false;
  return Array.isArray(body) || Object.getPrototypeOf(body) === Object.prototype;
}
