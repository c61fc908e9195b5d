import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthDefinition,
  type HealthListRequest,
  type HealthListResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../proto/gen/grpc/health/v1/health.ts';
import { Status } from '../status.ts';
import { grpcServiceOf } from './service.ts';

type Watch = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/**
 * Serves `grpc.health.v1.Health` for services that are known from the start:
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md. grpc-health-check would parse protos at the start, which with
 * reflection took a third of the main thread's start.
 */
export class Health {
  readonly #statuses: Map<string, HealthCheckResponse>;
  readonly #watches = new Set<Watch>();

  /** @param services by their full names; the empty one is the process. None is served yet */
  constructor(services: readonly string[]) {
    this.#statuses = new Map(
      services.map((service) => [service, { ...unknown, status: ServingStatus.NOT_SERVING }]),
    );
  }

  /** Sets whether all services are served, and why they are not: a reason of the API, such as `raiz-no-disponible`. */
  setServing(serving: boolean, reason = ''): void {
    const status = serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    const now = { ...unknown, status, reason };
    for (const [service, before] of this.#statuses) {
      this.#statuses.set(service, now);
      if (before.status === now.status) continue;
      for (const watch of this.#watches) if (watch.request.service === service) watch.write(now);
    }
  }

  addToServer(server: Server): void {
    server.addService(grpcServiceOf(HealthDefinition), {
      check: (
        { request }: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
        answer: sendUnaryData<HealthCheckResponse>,
      ) => {
        const status = this.#statuses.get(request.service);
        if (status !== undefined) answer(null, { ...status, clockMs: Date.now() });
        else answer({ code: Status.NOT_FOUND, details: 'The server has no service of this name' });
      },
      watch: (watch: Watch) => {
        this.#watches.add(watch);
        watch.on('cancelled', () => this.#watches.delete(watch));
        watch.write(this.#statuses.get(watch.request.service) ?? unknown);
      },
      list: (
        _call: ServerUnaryCall<HealthListRequest, HealthListResponse>,
        answer: sendUnaryData<HealthListResponse>,
      ) => answer(null, { statuses: Object.fromEntries(this.#statuses) }),
    });
  }
}

const unknown: HealthCheckResponse = { status: ServingStatus.SERVICE_UNKNOWN, reason: '', clockMs: 0 };
