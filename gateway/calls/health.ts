import type { MethodDefinition } from '@grpc/proto-loader';
import { service } from 'grpc-health-check';
import type { Method } from '../../runtime/method.ts';
import { Status } from '../../runtime/status.ts';
import type { Failure, Outcome, Transport } from './transport.ts';

interface HealthAnswer {
  readonly status: string;
}

const definition = service['Check'] as MethodDefinition<object, object>;
const onlyBinary = () => {
  throw new TypeError('grpc.health.v1 is called by gRPC only');
};

/** `grpc.health.v1.Health/Check`. The empty service name asks for the server as a whole. */
const check: Method<{ readonly service: string }, HealthAnswer> = {
  kind: 'unary',
  service: 'grpc.health.v1.Health',
  name: 'Check',
  fullName: definition.path.slice(1),
  repeatable: true,
  request: {
    toBinary: definition.requestSerialize,
    fromBinary: onlyBinary,
    toJson: onlyBinary,
    fromJson: onlyBinary,
  },
  response: {
    toBinary: onlyBinary,
    fromBinary: (bytes) => definition.responseDeserialize(bytes as Buffer) as HealthAnswer,
    toJson: onlyBinary,
    fromJson: onlyBinary,
  },
};

/** Asks an address for its health; gives why it cannot be used, or undefined when it can. */
export async function checkHealth(transport: Transport, deadlineMs: number): Promise<Failure | undefined> {
  const outcome = await transport.unary(
    check,
    { service: '' },
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
    return outcome.response.status === 'NOT_SERVING'
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
