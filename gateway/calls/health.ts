import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { Method } from '../../runtime/method.ts';
import { Status } from '../../runtime/status.ts';
import type { Failure, Outcome, Transport } from './transport.ts';

/** `grpc.health.v1.HealthCheckResponse.ServingStatus`. */
const notServing = 2;

interface HealthAnswer {
  readonly status: number;
}

const onlyBinary = () => {
  throw new TypeError('grpc.health.v1 is called by gRPC only');
};

/**
 * `grpc.health.v1.Health/Check`, of which a request without a service name, for the server as a whole, is no bytes, and the
 * response is one number: not worth the tenth of a start that a library with a parser of protos takes.
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
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 8) status = reader.int32();
    else reader.skip(tag & 7);
  }
  return { status };
}

/** Asks an address for its health; gives why it cannot be used, or undefined when it can. */
export async function checkHealth(transport: Transport, deadlineMs: number): Promise<Failure | undefined> {
  const outcome = await transport.unary(
    check,
    {},
    { deadlineMs, signal: new AbortController().signal, requestId: 'health', traceparent: '' },
  );
  return unusable(outcome);
}

/**
 * A server that answers at all can be called, also one that knows no health service. The exceptions are its own words
 * for "not me": NOT_SERVING, and UNAVAILABLE, which a proxy says of the server behind it.
 */
function unusable(outcome: Outcome<HealthAnswer>): Failure | undefined {
  if (outcome.ok) {
    return outcome.response.status === notServing
      ? {
          code: Status.UNAVAILABLE,
          message: 'NOT_SERVING',
          origin: 'server',
          sent: true,
          cancelledByUs: false,
        }
      : undefined;
  }
  const { failure } = outcome;
  return failure.origin === 'server' && failure.code !== Status.UNAVAILABLE ? undefined : failure;
}
