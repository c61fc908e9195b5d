import type { Metric } from 'prom-client';
import { Counter, Durations, keyOf } from './counters.ts';
import type { Collector, Family } from './family.ts';

/** An answered request. */
export interface RequestRecord {
  readonly method: string;
  /** The route's pattern, not its path: `/solicitudes/:id`. */
  readonly route: string;
  readonly status: number;
  /** How the answer was made: `grpc`, `cola`, `cache`, or empty. */
  readonly served: string;
  readonly seconds: number;
}

const dropReasons = ['malformed', 'unknown', 'witness', 'closed', 'unavailable'] as const;
export type DropReason = (typeof dropReasons)[number];
const finalStates = ['completada', 'fallida', 'vencida', 'cancelada'] as const;

/** The gateway's metrics, rendered for Prometheus. Counting is cheap, because it is always enabled. */
export interface Metrics {
  requestBegins(): void;
  requestEnds(tally: RequestRecord): void;
  /** Counts one attempt of a call. The duration of a stream ends at its first response. */
  call(service: string, rpc: string, code: string, seconds: number): void;
  /** Counts a request not answered by a call: service unreachable (`reason`: RFC 9209), or queue preferred. */
  fallback(service: string, outcome: 'queued' | 'refused', reason: string): void;
  replyDropped(reason: DropReason): void;
  /** Counts a solicitud whose final state this gateway committed. */
  solicitudEnds(state: (typeof finalStates)[number]): void;
  /** Registers a source of families, read at every scrape. */
  add(source: Collector): void;
  /** Returns the page of `GET /metrics` and its media type. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
}

/** Gauges with the suffix of a counter, which Prometheus's linter rejects. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

export function createMetrics(): Metrics {
  let inFlight = 0;
  const requests = new Durations(
    'archivero_http_request_duration_seconds',
    'Duration from the request to the end of its answer. served: how the answer was made.',
    ['method', 'route', 'status', 'served'],
  );
  const calls = new Durations(
    'archivero_rpc_duration_seconds',
    'Duration of one attempt of a gRPC call; of a stream, until its first response.',
    ['service', 'rpc', 'code'],
  );
  const fallbacks = new Counter(
    'archivero_fallbacks_total',
    'Requests not answered by a call: queued with a 202, or refused. reason: RFC 9209, or preferred.',
    ['service', 'outcome', 'reason'],
  );
  const dropped = new Counter(
    'archivero_replies_dropped_total',
    'Replies from RabbitMQ that were discarded.',
    ['reason'],
  );
  for (const reason of dropReasons) dropped.declare(reason);
  const ended = new Counter(
    'archivero_solicitudes_ended_total',
    'Accepted requests whose final state this gateway committed.',
    ['state'],
  );
  for (const state of finalStates) ended.declare(state);
  const sources: Collector[] = [
    () => [
      requests.family(),
      {
        name: 'archivero_http_requests_in_flight',
        help: 'Requests whose answer is not complete.',
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

  /** Loads prom-client at the first scrape, so that an unscraped gateway saves its memory. */
  async function load() {
    const prom = (await import('prom-client')).default;
    const processRegistry = new prom.Registry();
    prom.collectDefaultMetrics({ register: processRegistry });
    for (const name of misnamed) processRegistry.removeSingleMetric(name);
    return { Registry: prom.Registry, processRegistry };
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
      const { Registry, processRegistry } = await loaded;
      const families = (await Promise.all(sources.map((source) => source()))).flat();
      const registry = new Registry();
      for (const family of families) registry.registerMetric(asMetric(family));
      const text = `${await registry.metrics()}\n${await processRegistry.metrics()}`;
      return { type: registry.contentType, text };
    },
  };
}

/** Wraps a family: the registry reads only a metric's name and, through `get`, its values. */
function asMetric(family: Family): Metric {
  return { name: family.name, get: async () => family } as unknown as Metric;
}
