import { randomFillSync, randomUUID } from 'node:crypto';
import { parseTraceparent } from '../../runtime/tracing/traceparent.ts';
import { beginSpan, isTracing } from '../../runtime/tracing/tracing.ts';
import type { Middleware } from './state.ts';

/**
 * Gives every request an id and a W3C trace context, the client's own when they are well-formed, so that its log lines
 * in all processes, and in the client, can be put together. Never throws.
 */
export function requestId(): Middleware {
  return (ctx, next) => {
    ctx.state.requestId = requestIdOf(ctx.req.headers['x-request-id']);
    const trace = ctx.get('traceparent');
    const parent = parseTraceparent(trace) === undefined ? '' : trace;
    const span = beginSpan(ctx.method, 'server', parent);
    ctx.state.span = span;
    ctx.state.traceparent = span.traceparent || newTraceparent();
    // For whoever looks for it in a trace; nobody else needs to know.
    if (parent !== '' || isTracing()) ctx.set('traceparent', ctx.state.traceparent);
    ctx.set('X-Request-Id', ctx.state.requestId);
    return next();
  };
}

/** The client's own when it is well-formed, else a new one. */
export function requestIdOf(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
}

function newTraceparent(): string {
  return `00-${randomHex(16)}-${randomHex(8)}-01`;
}

/** Asked for in stock: to ask the system each time takes longer than all else that is done for a cached answer. */
const stock = Buffer.alloc(4096);
let used = stock.length;

/** Zeros, which would not be valid, are less likely than a fault of the memory. */
function randomHex(size: number): string {
  if (used + size > stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  used += size;
  return stock.toString('hex', used - size, used);
}
