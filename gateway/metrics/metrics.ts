import type { Metric } from 'prom-client';
import { Counter, Durations, keyOf } from './counters.ts';
import type { Family, Source } from './family.ts';

/** A request that was answered. */
export interface RequestTally {
  readonly method: string;
  /** The pattern and not the path: `/solicitudes/:id`. */
  readonly route: string;
  readonly status: number;
  /** `grpc`, `cola`, `cache`, or nothing. */
  readonly served: string;
  readonly seconds: number;
}

const dropReasons = ['malformed', 'unknown', 'witness', 'closed'] as const;
export type DropReason = (typeof dropReasons)[number];
const ends = ['completada', 'fallida', 'vencida', 'cancelada'] as const;

/** What is counted, and how it is told to Prometheus. Counting is cheap, because it is always on. */
export interface Metrics {
  requestBegins(): void;
  requestEnds(tally: RequestTally): void;
  /** One attempt of a call; of a stream, the time until it was heard. */
  call(service: string, rpc: string, code: string, seconds: number): void;
  /** A service could not be reached (`reason`: RFC 9209), or the client preferred the queue. */
  fallback(service: string, outcome: 'queued' | 'refused', reason: string): void;
  replyDropped(reason: DropReason): void;
  /** This gateway has committed the end of a solicitud. */
  solicitudEnds(state: (typeof ends)[number]): void;
  /** More families, asked for at every scrape. */
  add(source: Source): void;
  /** The page of `GET /metrics`, and its media type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

/** Gauges that are named like counters, which Prometheus's own linter refuses. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export function createMetrics(): Metrics {
  let inFlight = 0;
  const requests = new Durations(
    'archivero_http_request_duration_seconds',
    'From the request to the end of its answer. served: how the answer was made.',
    ['method', 'route', 'status', 'served'],
  );
  const calls = new Durations(
    'archivero_rpc_duration_seconds',
    'One attempt of a gRPC call; of a stream, until it was heard.',
    ['service', 'rpc', 'code'],
  );
  const fallbacks = new Counter(
    'archivero_fallbacks_total',
    'Requests that were not answered by a call: queued for a 202, or refused. reason: RFC 9209, or preferred.',
    ['service', 'outcome', 'reason'],
  );
  const dropped = new Counter(
    'archivero_replies_dropped_total',
    'Replies from RabbitMQ that changed nothing.',
    ['reason'],
  );
  for (const reason of dropReasons) dropped.declare(reason);
  const ended = new Counter(
    'archivero_solicitudes_ended_total',
    'Accepted requests that came to their end by this gateway.',
    ['state'],
  );
  for (const state of ends) ended.declare(state);
  const sources: Source[] = [
    () => [
      requests.family(),
      {
        name: 'archivero_http_requests_in_flight',
        help: 'Requests whose answer is not out yet.',
        type: 'gauge',
        values: [{ labels: {}, value: inFlight }],
      },
      calls.family(),
      fallbacks.family(),
      dropped.family(),
      ended.family(),
    ],
  ];
  let loaded: ReturnType<typeof load> | undefined;

  /** Loaded by the first scrape: what is never asked costs no memory. */
  async function load() {
    const prom = (await import('prom-client')).default;
    const ofProcess = new prom.Registry();
    prom.collectDefaultMetrics({ register: ofProcess });
    for (const name of misnamed) ofProcess.removeSingleMetric(name);
    return { Registry: prom.Registry, ofProcess };
  }

  return {
    requestBegins: () => {
      inFlight += 1;
    },
    requestEnds: ({ method, route, status, served, seconds }) => {
      inFlight -= 1;
      requests.observe(keyOf(method, route, String(status), served), seconds);
    },
    call: (service, rpc, code, seconds) => calls.observe(keyOf(service, rpc, code), seconds),
    fallback: (service, outcome, reason) => fallbacks.add(service, outcome, reason),
    replyDropped: (reason) => dropped.add(reason),
    solicitudEnds: (state) => ended.add(state),
    add: (source) => void sources.push(source),
    render: async () => {
      loaded ??= load();
      const { Registry, ofProcess } = await loaded;
      const families = (await Promise.all(sources.map((source) => source()))).flat();
      const registry = new Registry();
      for (const family of families) registry.registerMetric(asMetric(family));
      const text = `${await registry.metrics()}\n${await ofProcess.metrics()}`;
      return { type: registry.contentType, text };
    },
  };
}

/** The registry asks a metric for nothing but its name and, with `get`, its values. */
function asMetric(family: Family): Metric {
  return { name: family.name, get: async () => family } as unknown as Metric;
}
