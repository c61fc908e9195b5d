import type { Status } from '../../runtime/status.ts';
import type { Span } from '../../runtime/tracing/tracer.ts';
import { beginSpan } from '../../runtime/tracing/tracing.ts';

const untraced: Span = { traceparent: '', end: () => undefined };

/** Begins the span of one attempt of a call. Health checks and feeds have no traceparent, so they get no span. */
export function beginCallSpan(rpc: string, traceparent: string, address: string): Span {
  if (traceparent === '') return untraced;
  return beginSpan(rpc, 'client', traceparent, { 'rpc.system': 'grpc', 'server.address': address });
}

export function endCallSpan(span: Span, status: Status): void {
  span.end({ attributes: { 'rpc.grpc.status_code': status }, failed: status !== 0 });
}
