import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { adminRoutes } from './admin/routes.ts';
import { createAnswerCache } from './answers/answer-cache.ts';
import { createApp, type HttpSettings } from './app.ts';
import type { ServiceClients } from './calls/service-clients.ts';
import { openColas } from './colas/routes.ts';
import type { GatewayConfig } from './config.ts';
import { documentsRoutes } from './documents/routes.ts';
import { createHttpListener } from './http/listener.ts';
import { createUpgrades } from './http/upgrade.ts';
import type { Access } from './identity/open-access.ts';
import { createLive } from './live/routes.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { Service } from './operations/service.ts';
import { operationRoutes } from './serve/routes.ts';
import type { Ledger } from './solicitudes/ledger.ts';
import type { Solicitudes } from './solicitudes/solicitudes.ts';

export interface GatewayDeps {
  readonly config: GatewayConfig;
  readonly services: readonly Service[];
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly version: string;
}

interface Subsystems {
  readonly metrics: Metrics;
  readonly clients: ServiceClients;
  readonly solicitudes: Solicitudes;
  readonly access: Access;
}

/** Opens what the gateway shows over HTTP. */
export function openHttp(
  { config, services, ledger, log, version }: GatewayDeps,
  { metrics, clients, solicitudes, access }: Subsystems,
) {
  const { broker } = solicitudes;
  const { authenticator, rateLimit } = access;
  const stallMs = config.STREAM_STALL_MS;
  const operations = services.flatMap((service) => service.operations);
  const cache = createAnswerCache(config.GATEWAY_CACHE_BYTES, () => performance.now());
  const upgrades = createUpgrades();
  const live = createLive({
    services,
    upgrades,
    authenticator,
    rateLimit,
    stallMs,
    log,
    serviceClient: clients.client,
  });
  const urls = { brokerUrl: config.RABBITMQ_URL, managementUrl: config.RABBITMQ_MANAGEMENT_URL };
  const colas = openColas({
    ...urls,
    publisher: broker?.publisher,
    internalQueues: broker?.queues ?? [],
    log,
  });
  const admin = adminRoutes({
    operations,
    cache,
    ledger,
    broker,
    metrics,
    version,
    clients: clients.all,
    ledgerFolder: config.LEDGER_URL.kind === 'sqlite' ? dirname(config.LEDGER_URL.path) : undefined,
    management: colas.management,
  });
  const documents = documentsRoutes({
    version,
    operations,
    tokenNeeded: authenticator.verify !== undefined,
    servedIdentityPaths: new Set(access.routes.stack.map(({ path }) => String(path))),
  });
  const app = createApp({
    access,
    cache,
    metrics,
    log,
    http: httpSettings(config),
    routers: {
      operations: operationRoutes({
        services,
        clients,
        cache,
        metrics,
        streamStallMs: stallMs,
        acceptor: solicitudes.acceptor,
        responses: solicitudes.responses,
      }),
      others: [admin, live.routes(), solicitudes.router, colas.routes(), documents],
    },
    openPaths: live.paths,
  });
  const callback = app.callback();
  const listener = createHttpListener({
    listener: callback,
    upgrade: upgrades.answerWith(callback),
    log,
    ...listenerSettings(config),
  });
  return { app, http: [listener], live: [live], colas: [colas] };
}

function httpSettings(config: GatewayConfig): HttpSettings {
  return {
    allowedHosts: config.GATEWAY_ALLOWED_HOSTS,
    corsOrigins: config.GATEWAY_CORS_ORIGINS,
    trustedProxies: config.TRUSTED_PROXIES,
    retirement: { deprecation: config.V1_DEPRECATION, sunset: config.V1_SUNSET },
  };
}

function listenerSettings(config: GatewayConfig) {
  return {
    binding: {
      host: config.GATEWAY_HOST,
      port: config.GATEWAY_PORT,
      hostVariable: 'GATEWAY_HOST',
      portVariable: 'GATEWAY_PORT',
    },
    tls: config.tls.http,
    bounds: {
      headersMs: config.HEADERS_TIMEOUT_MS,
      requestMs: config.REQUEST_TIMEOUT_MS,
      keepAliveMs: config.KEEP_ALIVE_MS,
      stallMs: config.STREAM_STALL_MS,
      connections: config.MAX_CONNECTIONS,
    },
    graceMs: 5_000,
  };
}
