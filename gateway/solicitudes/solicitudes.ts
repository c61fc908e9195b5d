import type Router from '@koa/router';
import type { Logger } from 'pino';
import type { Part } from '../../runtime/lifecycle.ts';
import type { ServiceClient } from '../calls/service-client.ts';
import type { State } from '../http/state.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Operation } from '../operations/operation.ts';
import { type Acceptor, createAcceptor } from './acceptance.ts';
import { type Broker, openBroker } from './broker.ts';
import { createBrokerRoute } from './broker-route.ts';
import { createCompletion } from './completion.ts';
import { createDirectRoute } from './direct-route.ts';
import { createDispatcher } from './dispatcher.ts';
import { createDrainRate } from './drain-rate.ts';
import { followLedger } from './following.ts';
import { createHousekeeping } from './housekeeping.ts';
import type { Ledger } from './ledger.ts';
import type { ResponsesDeps } from './responses.ts';
import { solicitudesRoutes } from './routes.ts';
import { createWaiters } from './waiters.ts';

export interface SolicitudesOptions {
  readonly ledger: Ledger;
  readonly clients: readonly ServiceClient[];
  readonly operation: (name: string) => Operation | undefined;
  /** Undefined when no broker is configured: every request is answered by a direct call. */
  readonly brokerUrl: string | undefined;
  /** How long a solicitud may stay open, and how long its answer is kept, in milliseconds. */
  readonly lifetimeMs: number;
  readonly retentionMs: number;
  readonly maxWaiters: number;
  readonly maxEventStreams: number;
  /** A client of an event stream that receives nothing for this long is disconnected, in milliseconds. */
  readonly streamStallMs: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The accepted requests: the ledger, what answers its rows, and the routes that show them. */
export interface Solicitudes {
  readonly acceptor: Acceptor;
  /** Dependencies of sending a 202 or a stored answer. */
  readonly responses: ResponsesDeps;
  readonly broker: Broker | undefined;
  /** `/solicitudes` and `/cuarentena`. */
  readonly router: Router<State>;
  readonly parts: {
    readonly ledger: readonly Part[];
    readonly broker: readonly Part[];
    readonly dispatchers: readonly Part[];
    readonly housekeeping: readonly Part[];
    readonly waiters: readonly Part[];
  };
}

const housekeepingMs = 10_000;
const now = Date.now;

/** Opens the subsystem over an opened ledger. Rejects when the ledger cannot be read. */
export async function openSolicitudes(options: SolicitudesOptions): Promise<Solicitudes> {
  const { ledger, clients, operation, brokerUrl, metrics, log } = options;
  const waiters = createWaiters(options.maxWaiters);
  const followers = createWaiters(options.maxEventStreams);
  const drain = createDrainRate(await ledger.countOpen(), now);
  const completion = createCompletion({ ledger, operation, metrics, log, now });
  const acceptor = createAcceptor({ ledger, lifetimeMs: options.lifetimeMs, log, now });
  const services = clients.map(({ service }) => service);
  const served = clients.map((client) => ({
    client,
    direct: createDirectRoute({ ledger, client, completion, operation, log, now }),
  }));
  const directRoute = (service: string) => served.find(({ client }) => client.service === service)?.direct;
  const repliesDeps = { ledger, completion, operation, directRoute, metrics, log, now };
  const broker =
    brokerUrl === undefined ? undefined : openBroker({ url: brokerUrl, services, ...repliesDeps });

  const dispatchers = served.map(({ client, direct }) => {
    const { service } = client;
    const routes = [direct];
    if (broker !== undefined) {
      routes.unshift(createBrokerRoute({ ...broker, service, ledger, direct, operation, log, now }));
    }
    const dispatcher = createDispatcher({
      service,
      ledger,
      routes,
      broker: broker?.availability(service),
      client,
      log,
      now,
    });
    return { service, ...dispatcher, name: `dispatcher of ${service}` };
  });
  followLedger({
    ledger,
    waiters: [waiters, followers],
    drain,
    wake: (service) => {
      for (const each of dispatchers) if (service === undefined || each.service === service) each.wake();
    },
  });
  const { retentionMs } = options;
  const housekeeping = createHousekeeping({
    ledger,
    drain,
    metrics,
    log,
    now,
    retentionMs,
    intervalMs: housekeepingMs,
  });
  const stopWaiters = async () => {
    waiters.stop();
    followers.stop();
  };
  const responses = { ledger, waiters, drain };
  return {
    acceptor,
    responses,
    broker,
    router: solicitudesRoutes({
      ...responses,
      followers,
      completion,
      acceptor,
      streamStallMs: options.streamStallMs,
    }),
    parts: {
      ledger: [{ name: 'ledger', start: async () => undefined, stop: () => ledger.stop() }],
      broker: broker?.parts ?? [],
      dispatchers,
      housekeeping: [{ name: 'housekeeping', ...housekeeping }],
      waiters: [{ name: 'waiters', start: async () => undefined, stop: stopWaiters }],
    },
  };
}
