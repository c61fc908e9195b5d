/**
 * A W3C trace context (https://www.w3.org/TR/trace-context/) in one text: `traceparent`, then a space and `tracestate` if
 * there is one. It travels as two headers.
 */
interface TraceContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly tracestate: string;
}

/** Sampled, and random trace id. Unknown flags must not be passed on. */
const knownFlags = 0b11;

/**
 * Returns the context of the two headers; empty when `traceparent` is not valid. A higher version is read as version 00,
 * which the specification requires. A `tracestate` of more than 512 characters is dropped.
 */
export function readTraceContext(traceparent: unknown, tracestate: unknown): string {
  if (typeof traceparent !== 'string') return '';
  const [, version, traceId = '', spanId = '', flags = '', more] =
    /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(traceparent) ?? [];
  if (version === 'ff' || (version === '00' && more !== undefined)) return '';
  // An id of zeros is not valid.
  if (!/[^0]/.test(traceId) || !/[^0]/.test(spanId)) return '';
  const state = typeof tracestate === 'string' && /^[\x20-\x7e]{1,512}$/.test(tracestate) ? tracestate : '';
  return writeTraceContext(traceId, spanId, Number.parseInt(flags, 16) & knownFlags, state.trim());
}

export function writeTraceContext(traceId: string, spanId: string, flags: number, tracestate = ''): string {
  const traceparent = `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`;
  return tracestate === '' ? traceparent : `${traceparent} ${tracestate}`;
}

/** Returns the parts of a context; undefined for one that is not valid. */
export function parseTraceContext(context: string): TraceContext | undefined {
  const { traceparent, tracestate = '' } = traceHeaders(context);
  const [, traceId = '', spanId = '', flags = ''] = readTraceContext(traceparent, tracestate).split(
    /[- ]/,
    4,
  );
  return traceId === '' ? undefined : { traceId, spanId, flags: Number.parseInt(flags, 16), tracestate };
}

/** Returns a context as headers. */
export function traceHeaders(context: string): {
  readonly traceparent: string;
  readonly tracestate?: string;
} {
  const space = context.indexOf(' ');
  if (space === -1) return { traceparent: context };
  return { traceparent: context.slice(0, space), tracestate: context.slice(space + 1) };
}
