import { randomFillSync, randomUUID } from 'node:crypto';
import { parseTraceparent } from '../../runtime/tracing/traceparent.ts';
import { beginSpan, isTracing } from '../../runtime/tracing/tracing.ts';
import { setCommonHeader } from './response.ts';
import type { Step } from './steps.ts';

/**
 * Gives every request an id and a W3C trace context, the client's own when they are well-formed, so that its log lines
 * in all processes, and in the client, can be put together. Never throws.
 */
export function requestId(): Step {
  return (ctx) => {
    ctx.state.requestId = requestIdOf(ctx.req.headers['x-request-id']);
    const parent = parentOf(ctx.req.headers['traceparent']);
    const span = beginSpan(ctx.method, 'server', parent);
    ctx.state.span = span;
    ctx.state.traceparent = span.traceparent || newTraceparent();
    // For whoever looks for it in a trace; nobody else needs to know.
    if (parent !== '' || isTracing()) setCommonHeader(ctx.res, 'traceparent', ctx.state.traceparent);
    setCommonHeader(ctx.res, 'X-Request-Id', ctx.state.requestId);
  };
}

/** The client's own when it is well-formed, else a new one. */
export function requestIdOf(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
}

/** The client's trace context; empty when it is missing or malformed. */
function parentOf(trace: string | readonly string[] | undefined): string {
  return typeof trace === 'string' && parseTraceparent(trace) !== undefined ? trace : '';
}

function newTraceparent(): string {
  const hex = randomHex(24);
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`;
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
