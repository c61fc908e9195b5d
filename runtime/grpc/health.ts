import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { Status } from '../status.ts';

/** `grpc.health.v1.HealthCheckResponse.ServingStatus`. */
export const ServingStatus = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
export type ServingStatus = (typeof ServingStatus)[keyof typeof ServingStatus];

/** A HealthCheckRequest; a HealthListRequest is empty. */
interface Asked {
  readonly service: string;
}

/** A HealthCheckResponse, with a field that other clients skip. */
interface Answered {
  readonly status: ServingStatus;
  /** A reason of the API, such as `raiz-no-disponible`; empty while served. Field 1000. */
  readonly reason: string;
}

type Statuses = ReadonlyMap<string, Answered>;
type Watch = ServerWritableStream<Asked, Answered>;

/**
 * Serves `grpc.health.v1.Health` for services that are known from the start:
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md. Written by hand because grpc-health-check parses
 * protos, which with reflection took a third of the main thread's start.
 */
export class Health {
  readonly #statuses: Map<string, Answered>;
  readonly #watches = new Set<Watch>();

  /** @param services by their full names; the empty one is the process. None is served yet */
  constructor(services: readonly string[]) {
    this.#statuses = new Map(
      services.map((service) => [service, { status: ServingStatus.NOT_SERVING, reason: '' }]),
    );
  }

  /** Sets the status of all services, and why they are not served. */
  setStatus(status: ServingStatus, reason = ''): void {
    for (const [service, before] of this.#statuses) {
      const now = { status, reason };
      this.#statuses.set(service, now);
      if (before.status === status) continue;
      for (const watch of this.#watches) if (watch.request.service === service) watch.write(now);
    }
  }

  addToServer(server: Server): void {
    server.register(
      '/grpc.health.v1.Health/Check',
      ({ request }: ServerUnaryCall<Asked, Answered>, answer: sendUnaryData<Answered>) => {
        const status = this.#statuses.get(request.service);
        if (status !== undefined) answer(null, status);
        else answer({ code: Status.NOT_FOUND, details: 'The server has no service of this name' });
      },
      writeStatus,
      readAsked,
      'unary',
    );
    server.register(
      '/grpc.health.v1.Health/Watch',
      (watch: Watch) => {
        this.#watches.add(watch);
        watch.on('cancelled', () => this.#watches.delete(watch));
        watch.write(this.#statuses.get(watch.request.service) ?? unknown);
      },
      writeStatus,
      readAsked,
      'serverStream',
    );
    server.register(
      '/grpc.health.v1.Health/List',
      (_call: ServerUnaryCall<Asked, Statuses>, answer: sendUnaryData<Statuses>) =>
        answer(null, this.#statuses),
      writeStatuses,
      readAsked,
      'unary',
    );
  }
}

const unknown: Answered = { status: ServingStatus.SERVICE_UNKNOWN, reason: '' };

function readAsked(bytes: Uint8Array): Asked {
  const reader = new BinaryReader(bytes);
  let service = '';
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === 10) service = reader.string();
    else reader.skip(tag & 7);
  }
  return { service };
}

function writeStatus({ status, reason }: Answered): Buffer {
  const writer = new BinaryWriter().uint32(8).int32(status);
  if (reason !== '') writer.uint32(8002).string(reason);
  return Buffer.from(writer.finish());
}

function writeStatuses(statuses: Statuses): Buffer {
  const writer = new BinaryWriter();
  for (const [service, status] of statuses) {
    writer.uint32(10).fork().uint32(10).string(service).uint32(18).bytes(writeStatus(status)).join();
  }
  return Buffer.from(writer.finish());
}
