import { randomFillSync, randomUUID } from 'node:crypto';
import { readTraceContext } from '../../runtime/tracing/traceparent.ts';
import { beginSpan } from '../../runtime/tracing/tracing.ts';
import { setCommonHeader } from './response.ts';
import type { Step } from './steps.ts';

/**
 * Gives each request an id and a W3C trace context, or keeps the client's when they are well-formed. With them the log
 * lines of all processes and of the client can be joined. Never throws.
 */
export function requestId(): Step {
  return (ctx) => {
    ctx.state.requestId = requestIdOf(ctx.req.headers['x-request-id']);
    const { traceparent, tracestate } = ctx.req.headers;
    const parent = readTraceContext(traceparent, tracestate);
    const span = beginSpan(ctx.method, 'server', parent);
    ctx.state.span = span;
    ctx.state.traceparent = span.traceparent || newTraceparent();
    setCommonHeader(ctx.res, 'X-Request-Id', ctx.state.requestId);
  };
}

/** Returns the client's id when it is well-formed, else a new one. */
export function requestIdOf(clientId: string | readonly string[] | undefined): string {
  return typeof clientId === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(clientId) ? clientId : randomUUID();
}

function newTraceparent(): string {
  const hex = randomHex(24);
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`;
}

/** Random bytes are drawn in bulk: a system call per request takes longer than the rest of a cached answer. */
const randomPool = Buffer.alloc(4096);
let used = randomPool.length;

/** Returns random hex digits. All zeros would be invalid, but that is less likely than a memory error. */
function randomHex(size: number): string {
  if (used + size > randomPool.length) {
    randomFillSync(randomPool);
    used = 0;
  }
  used += size;
  return randomPool.toString('hex', used - size, used);
}
