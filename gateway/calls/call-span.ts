import type { Status } from '../../runtime/status.ts';
import { beginSpan, type Span } from '../../runtime/tracing/tracing.ts';

const untraced: Span = { traceparent: '', end: () => undefined };

/** One attempt of a call. What we ask on our own behalf (health, feeds) carries no trace, and begins none. */
export function beginCallSpan(rpc: string, traceparent: string, address: string): Span {
  if (traceparent === '') return untraced;
  return beginSpan(rpc, 'client', traceparent, { 'rpc.system': 'grpc', 'server.address': address });
}

export function endCallSpan(span: Span, status: Status): void {
  span.end({ attributes: { 'rpc.grpc.status_code': status }, failed: status !== 0 });
}
