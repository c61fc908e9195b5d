import type Koa from 'koa';
import { isLoopback } from '../runtime/env.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { readTls } from '../runtime/tls.ts';
import { openServiceClients } from './calls/service-clients.ts';
import type { State } from './http/state.ts';
import { openAccess } from './identity/open-access.ts';
import { createMetrics } from './metrics/metrics.ts';
import { type GatewayDeps, openHttp } from './open-http.ts';
import { openSolicitudes } from './solicitudes/solicitudes.ts';

/** The stages of a start, in order. A stop goes through them backwards, for these reasons. */
const stages = [
  { stage: 'ledger', because: 'every later stage writes to it until its own end' },
  { stage: 'access', because: 'the listener charges requests until it is closed' },
  { stage: 'calls', because: 'requests and dispatchers call until they have ended' },
  { stage: 'broker', because: 'dispatchers publish until they have ended' },
  { stage: 'colas', because: 'requests use its connection' },
  { stage: 'dispatchers', because: 'a request in flight may still be waiting for its row' },
  { stage: 'housekeeping', because: 'it needs nothing but the ledger' },
  { stage: 'http', because: 'a request in flight needs all of the above' },
  { stage: 'live', because: 'the listener would wait for its WebSockets' },
  { stage: 'waiters', because: 'the listener would wait for them; a waiting request gets its 202 now' },
] as const;
type Stage = (typeof stages)[number]['stage'];

export interface Gateway {
  readonly app: Koa<State>;
  /** In the order in which they start. */
  readonly parts: readonly Part[];
}

/** Opens all subsystems. Nothing listens or connects until the parts start. */
export async function createGateway(deps: GatewayDeps): Promise<Gateway> {
  const { config, ledger, log } = deps;
  const metrics = createMetrics();
  const clients = openServiceClients({
    services: deps.services,
    urls: config.serviceUrls,
    deadlineMs: config.GRPC_DEADLINE_MS,
    tls: config.tls.grpc && readTls(config.tls.grpc),
    feeds: config.GATEWAY_CACHE_BYTES > 0,
    onCall: metrics.call,
    log,
  });
  const operations = deps.services.flatMap((service) => service.operations);
  const solicitudes = await openSolicitudes({
    ledger,
    clients: clients.all,
    operation: (name) => operations.find((operation) => operation.name === name),
    brokerUrl: config.RABBITMQ_URL,
    lifetimeMs: config.SOLICITUD_LIFETIME_MS,
    retentionMs: config.ANSWER_RETENTION_MS,
    maxWaiters: config.MAX_WAITERS,
    maxEventStreams: config.MAX_EVENT_STREAMS,
    streamStallMs: config.STREAM_STALL_MS,
    metrics,
    log,
  });
  const inPostgres = config.RATE_LIMIT_STORE === 'postgres' && config.LEDGER_URL.kind === 'postgres';
  const access = await openAccess({
    identity: config.identity,
    onLoopback: isLoopback(config.GATEWAY_HOST),
    ipAllow: config.IP_ALLOW,
    ipDeny: config.IP_DENY,
    maxRequests: config.MAX_REQUESTS,
    allowances: config.RATE_LIMITS,
    costs: config.RATE_LIMIT_COSTS,
    database: inPostgres ? config.LEDGER_URL.url : undefined,
    log,
  });
  const { app, ...http } = openHttp(deps, { metrics, clients, solicitudes, access });
  const parts: Readonly<Record<Stage, readonly Part[]>> = {
    ...solicitudes.parts,
    ...http,
    calls: clients.parts,
    access: access.parts,
  };
  return { app, parts: stages.flatMap(({ stage }) => parts[stage]) };
}
