import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { createPublisher, type Publisher } from '../runtime/amqp/publisher.ts';
import { declareService, queuesOf } from '../runtime/amqp/topology.ts';
import { isLoopback } from '../runtime/env.ts';
import type { Part } from '../runtime/lifecycle.ts';
import { readTls } from '../runtime/tls.ts';
import { describeBroker } from './admin/broker-state.ts';
import { stateCollector } from './admin/state-metrics.ts';
import { createAnswerCache } from './answers/answer-cache.ts';
import { createApp } from './app.ts';
import { coalesce } from './calls/coalescing.ts';
import { createServiceClient } from './calls/load-balanced-client.ts';
import type { ServiceClient } from './calls/service-client.ts';
import { createManagement } from './colas/management.ts';
import { createColas } from './colas/routes.ts';
import type { GatewayConfig } from './config.ts';
import { createHttpListener } from './http/listener.ts';
import { createUpgrades } from './http/upgrade.ts';
import { openIdentities } from './identity/identities.ts';
import { openLimits } from './limits/limits.ts';
import { createLive } from './live/routes.ts';
import { createMetrics } from './metrics/metrics.ts';
import type { Service } from './operations/service.ts';
import { createAcceptor } from './solicitudes/acceptance.ts';
import { createBrokerRoute } from './solicitudes/broker-route.ts';
import { createCompletion } from './solicitudes/completion.ts';
import { createDirectRoute } from './solicitudes/direct-route.ts';
import { type BrokerUse, createDispatcher } from './solicitudes/dispatcher.ts';
import { createDrainRate } from './solicitudes/drain-rate.ts';
import { followLedger } from './solicitudes/following.ts';
import { createHousekeeping } from './solicitudes/housekeeping.ts';
import type { Ledger } from './solicitudes/ledger.ts';
import { createReplies, type Replies, type RepliesDeps } from './solicitudes/replies.ts';
import { createWaiters } from './solicitudes/waiters.ts';

export interface GatewayDeps {
  readonly config: GatewayConfig;
  readonly services: readonly Service[];
  readonly ledger: Ledger;
  readonly log: Logger;
  readonly version: string;
}

const housekeepingMs = 10_000;
/** What is in flight when the process stops has this long. */
const graceMs = 5_000;

/** Puts the gateway together: its parts, in the order in which they start. */
export async function createGateway(deps: GatewayDeps): Promise<readonly Part[]> {
  const { config, services, ledger, log, version } = deps;
  const now = Date.now;
  const grpcTls = config.tls.grpc && readTls(config.tls.grpc);
  const operations = new Map(
    services.flatMap((service) => service.operations.map((each) => [each.name, each])),
  );
  const operation = (name: string) => operations.get(name);
  const waiters = createWaiters(config.MAX_WAITERS);
  const followers = createWaiters(config.MAX_EVENT_STREAMS);
  const drain = createDrainRate(await ledger.open(), now);
  const metrics = createMetrics();
  const completion = createCompletion({ ledger, operation, metrics, log, now });
  const broker = connectBroker(config.RABBITMQ_URL, { ...deps, completion, operation, metrics });

  const routes = services.map(({ name: service, feed }) => {
    const client = createServiceClient({
      service,
      addresses: config.serviceUrls.get(service) ?? '',
      deadlineMs: config.GRPC_DEADLINE_MS,
      tls: grpcTls,
      feed: config.GATEWAY_CACHE_BYTES === 0 ? undefined : feed,
      log,
      onCall: (rpc, code, seconds) => metrics.call(service, rpc, code, seconds),
    });
    const direct = createDirectRoute({ ledger, client, completion, operation, log, now });
    const queue =
      broker && createBrokerRoute({ service, ledger, ...broker, otherwise: direct, operation, log, now });
    const dispatcher = createDispatcher({
      service,
      ledger,
      routes: queue === undefined ? [direct] : [queue, direct],
      broker: broker?.use,
      client,
      log,
      now,
    });
    const call = coalesce(client.call, {
      deadlineMs: config.GRPC_DEADLINE_MS,
      now: () => performance.now(),
      nextHop: () => client.addresses()[0]?.address ?? '',
    });
    return { service, client, call, dispatcher };
  });
  const wayOf = new Map(routes.map((way) => [way.service, way]));

  followLedger({
    ledger,
    waiters: [waiters, followers],
    drain,
    wake: (service) => {
      for (const way of routes) if (service === undefined || way.service === service) way.dispatcher.wake();
    },
  });

  const acceptor = createAcceptor({
    ledger,
    lifetimeMs: config.SOLICITUD_LIFETIME_MS,
    log,
    now,
  });
  const wayTo = (service: string) => {
    const way = wayOf.get(service);
    if (way === undefined) throw new TypeError(`No service ${service}`);
    return way;
  };
  const serviceClient = (service: string): ServiceClient => wayTo(service).client;
  const limits = await openLimits({
    allowances: config.RATE_LIMITS,
    costs: config.RATE_LIMIT_COSTS,
    database:
      config.RATE_LIMIT_STORE === 'postgres' && config.LEDGER_URL.kind === 'postgres'
        ? config.LEDGER_URL.url
        : undefined,
    log,
  });
  const identities = await openIdentities({
    config: config.identity,
    onLoopback: isLoopback(config.GATEWAY_HOST),
    store: limits.store,
    log,
  });
  const upgrades = createUpgrades();
  const live = createLive({
    services,
    serviceClient,
    upgrades,
    authenticator: identities.authenticator,
    rateLimit: limits.rateLimit,
    stallMs: config.STREAM_STALL_MS,
    log,
  });
  const { RABBITMQ_URL: brokerUrl, RABBITMQ_MANAGEMENT_URL: managementUrl } = config;
  const management =
    brokerUrl === undefined || managementUrl === undefined
      ? undefined
      : createManagement(managementUrl, brokerUrl, log);
  const internalQueues = [
    ...services.flatMap(({ name }) => Object.values(queuesOf(name))),
    ...(broker ? [broker.replies.queue] : []),
  ];
  const cache = createAnswerCache(config.GATEWAY_CACHE_BYTES, () => performance.now());
  metrics.add(
    stateCollector({
      cache,
      services: services.map(({ name }) => name),
      clients: routes.map((way) => way.client),
      ledger,
      ledgerFolder: config.LEDGER_URL.kind === 'sqlite' ? dirname(config.LEDGER_URL.path) : undefined,
      publisher: broker?.publisher,
      queues: internalQueues,
      now,
    }),
  );
  const colas = createColas({
    broker: broker && brokerUrl !== undefined ? { url: brokerUrl, publisher: broker.publisher } : undefined,
    management,
    internalQueues,
    log,
  });
  const app = createApp({
    identities,
    services,
    clients: routes.map((way) => way.client),
    serviceClient,
    call: (service) => wayTo(service).call,
    cache,
    live,
    colas,
    metrics,
    retirement: { deprecation: config.V1_DEPRECATION, sunset: config.V1_SUNSET },
    acceptor,
    ledger,
    waiters,
    followers,
    completion,
    drain,
    broker: () => describeBroker(broker?.publisher, management),
    consumers: async (service) => {
      if (!broker?.publisher.usable) return undefined;
      return (await broker.publisher.inspect(queuesOf(service).work))?.consumers;
    },
    startedAt: now(),
    version,
    log,
    allowedHosts: config.GATEWAY_ALLOWED_HOSTS,
    corsOrigins: config.GATEWAY_CORS_ORIGINS,
    trustedProxies: config.TRUSTED_PROXIES,
    ipAllow: config.IP_ALLOW,
    ipDeny: config.IP_DENY,
    rateLimit: limits.rateLimit,
    maxRequests: config.MAX_REQUESTS,
    streamStallMs: config.STREAM_STALL_MS,
  });

  const listener = app.callback();
  return [
    { name: 'ledger', start: async () => undefined, stop: () => ledger.stop() },
    { name: 'limits', start: async () => undefined, stop: () => limits.stop() },
    ...routes.map(({ client, service }) => ({
      name: `calls to ${service}`,
      start: () => client.start(),
      stop: () => client.stop(),
    })),
    ...(broker?.parts ?? []),
    colas,
    ...routes.map(({ dispatcher, service }) => ({ name: `dispatcher of ${service}`, ...dispatcher })),
    {
      name: 'housekeeping',
      ...createHousekeeping({
        ledger,
        drain,
        metrics,
        log,
        retentionMs: config.ANSWER_RETENTION_MS,
        intervalMs: housekeepingMs,
        now,
      }),
    },
    createHttpListener({
      binding: {
        host: config.GATEWAY_HOST,
        port: config.GATEWAY_PORT,
        hostVariable: 'GATEWAY_HOST',
        portVariable: 'GATEWAY_PORT',
      },
      listener,
      upgrade: upgrades.answerWith(listener),
      tls: config.tls.http,
      bounds: {
        headersMs: config.HEADERS_TIMEOUT_MS,
        requestMs: config.REQUEST_TIMEOUT_MS,
        stallMs: config.STREAM_STALL_MS,
        connections: config.MAX_CONNECTIONS,
      },
      log,
      graceMs,
    }),
    // Stopped before the door, which would wait for them to go.
    live,
    // Stopped first: those who wait for an answer get their 202 now instead of holding up the door, and streams end.
    {
      name: 'waiters',
      start: async () => undefined,
      stop: async () => {
        waiters.stop();
        followers.stop();
      },
    },
  ];
}

/** Both connections to RabbitMQ: one publishes, the other consumes. Undefined when no broker is wanted. */
function connectBroker(
  url: string | undefined,
  {
    services,
    ledger,
    completion,
    operation,
    metrics,
    log,
  }: GatewayDeps & Pick<RepliesDeps, 'completion' | 'operation' | 'metrics'>,
): { publisher: Publisher; replies: Replies; use: BrokerUse; parts: readonly Part[] } | undefined {
  if (url === undefined) return undefined;
  const publisher = createPublisher({
    url,
    name: 'archivero gateway publisher',
    log,
    declare: async (session) => {
      for (const { name } of services) await declareService(session, name);
    },
  });
  const replies = createReplies({ url, ledger, completion, operation, metrics, log, now: Date.now });
  const part = { name: 'publisher', start: async () => publisher.start(), stop: () => publisher.stop() };
  const use: BrokerUse = {
    get usable() {
      return publisher.usable && replies.connected;
    },
    subscribe(listener) {
      const ends = [publisher, replies].map((connection) => connection.subscribe(listener));
      return () => {
        for (const end of ends) end();
      };
    },
  };
  return { publisher, replies, use, parts: [replies, part] };
}
