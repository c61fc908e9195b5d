import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Method } from '../../runtime/method.ts';
import { Status } from '../../runtime/status.ts';
import type { GrpcFailure, Transport, TransportResult } from './transport.ts';

/** `grpc.health.v1.HealthCheckResponse.ServingStatus`. */
const notServing = 2;

interface HealthAnswer {
  readonly status: number;
  /** Why our services are not served, such as `raiz-no-disponible`: a field that others do not send. */
  readonly reason: string;
}

const onlyBinary = () => {
  throw new TypeError('grpc.health.v1 is called by gRPC only');
};

/**
 * `grpc.health.v1.Health/Check`, encoded by hand: a request for the whole server is empty, and the response is one number.
 * A library that parses protos would add a tenth to the start-up time.
 */
const check: Method<object, HealthAnswer> = {
  kind: 'unary',
  service: 'grpc.health.v1.Health',
  name: 'Check',
  fullName: 'grpc.health.v1.Health/Check',
  repeatable: true,
  request: {
    toBinary: () => Buffer.alloc(0),
    fromBinary: onlyBinary,
    toJson: onlyBinary,
    fromJson: onlyBinary,
  },
  response: {
    toBinary: onlyBinary,
    fromBinary: readStatus,
    toJson: onlyBinary,
    fromJson: onlyBinary,
  },
};

function readStatus(bytes: Uint8Array): HealthAnswer {
  const reader = new BinaryReader(bytes);
  let status = 0;
  let reason = '';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 8) status = reader.int32();
    else if (tag === 8002) reason = reader.string();
    else reader.skip(tag & 7);
  }
  return { status, reason };
}

/** Checks an address's health. Returns why it is unusable, or undefined when it is usable. */
export async function checkHealth(
  transport: Transport,
  deadlineMs: number,
): Promise<GrpcFailure | undefined> {
  const outcome = await transport.unary(
    check,
    {},
    { deadlineMs, signal: new AbortController().signal, requestId: 'health', traceparent: '' },
  );
  return unusable(outcome);
}

/**
 * A server that answers at all is usable, even without the health service. The exceptions are NOT_SERVING and a server's
 * UNAVAILABLE, which a proxy gives for the server behind it.
 */
function unusable(outcome: TransportResult<HealthAnswer>): GrpcFailure | undefined {
  if (outcome.ok) {
    const { status, reason } = outcome.response;
    return status === notServing
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
