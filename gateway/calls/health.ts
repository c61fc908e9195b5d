import {
  type HealthCheckResponse,
  HealthDefinition,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../proto/gen/grpc/health/v1/health.ts';
import { methodOf } from '../../runtime/method.ts';
import { Status } from '../../runtime/status.ts';
import type { GrpcFailure, Transport, TransportResult } from './transport.ts';

const check = methodOf(HealthDefinition, 'check');

export interface HealthReport {
  /** Why the address is unusable; undefined when it is usable. */
  readonly failure: GrpcFailure | undefined;
  /** Milliseconds by which the service's clock is ahead of this one, give or take half the latency. */
  readonly clockAheadMs: number | undefined;
}

/** Checks an address's health. Returns why it is unusable, or undefined when it is usable. */
export async function checkHealth(
  transport: Transport,
  deadlineMs: number,
): Promise<GrpcFailure | undefined> {
  return (await reportHealth(transport, deadlineMs)).failure;
}

/** Checks an address's health, and compares clocks. */
export async function reportHealth(transport: Transport, deadlineMs: number): Promise<HealthReport> {
  const sentAt = Date.now();
  const outcome = await transport.unary(
    check,
    { service: '' },
    { deadlineMs, signal: new AbortController().signal, requestId: 'health', traceparent: '' },
  );
  const clock = outcome.ok ? outcome.response.clockMs : 0;
  const clockAheadMs = clock === 0 ? undefined : clock - (sentAt + Date.now()) / 2;
  return { failure: unusable(outcome), clockAheadMs };
}

/**
 * A server that answers at all is usable, even without the health service. The exceptions are NOT_SERVING and a server's
 * UNAVAILABLE, which a proxy gives for the server behind it.
 */
function unusable(outcome: TransportResult<HealthCheckResponse>): GrpcFailure | undefined {
  if (outcome.ok) {
    const { status, reason } = outcome.response;
    return status === ServingStatus.NOT_SERVING
      ? {
          code: Status.UNAVAILABLE,
          message: reason === '' ? 'NOT_SERVING' : `${reason}: NOT_SERVING`,
          origin: 'server',
          sent: true,
          cancelledByUs: false,
        }
      : undefined;
  }
  const { failure } = outcome;
  return failure.origin === 'server' && failure.code !== Status.UNAVAILABLE ? undefined : failure;
}
