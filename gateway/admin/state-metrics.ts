import { statfs } from 'node:fs/promises';
import type { Publisher } from '../../runtime/amqp/publisher.ts';
import type { AnswerCache } from '../answers/answer-cache.ts';
import type { ServiceClient } from '../calls/service-client.ts';
import { type Collector, type Family, gauge, type Sample } from '../metrics/family.ts';
import type { Ledger } from '../solicitudes/ledger.ts';
import { timed } from './timed.ts';

export interface StateDeps {
  readonly services: readonly string[];
  readonly clients: readonly ServiceClient[];
  readonly cache: Pick<AnswerCache, 'size'>;
  readonly ledger: Pick<Ledger, 'countOpen' | 'oldest' | 'probe'>;
  /** The folder of the ledger's file; undefined when the ledger is a database server. */
  readonly ledgerFolder: string | undefined;
  readonly publisher: Pick<Publisher, 'usable' | 'inspect'> | undefined;
  readonly queues: readonly string[];
  readonly now: () => number;
}

/** Bound on each part of a scrape. The scrape omits the metrics of a part that exceeds it. */
const answerMs = 900;

/** Creates the source of gauges that are read at each scrape: breakers, cache, ledger, disk and queues. */
export function stateCollector(deps: StateDeps): Collector {
  return async () => [
    breakers(deps.clients),
    ...cacheFamilies(deps.cache),
    ...(await ledgerFamilies(deps)),
    ...(await diskFamilies(deps)),
    ...(await queueFamilies(deps)),
  ];
}

function breakers(clients: readonly ServiceClient[]): Family {
  const values = clients.flatMap((client) =>
    client
      .addresses()
      .filter(({ unused }) => !unused)
      .map(({ address, breaker }) => ({
        labels: { service: client.service, address },
        value: breaker === 'open' ? 1 : 0,
      })),
  );
  return gauge(
    'archivero_breaker_open',
    'Whether the breaker of an address is open (1) or closed (0).',
    values,
  );
}

function cacheFamilies(cache: StateDeps['cache']): readonly Family[] {
  const { answers, bytes } = cache.size();
  return [
    gauge('archivero_cache_answers', 'Answers in the cache. (Answers served from it have served="cache".)', [
      { labels: {}, value: answers },
    ]),
    gauge('archivero_cache_bytes', 'Bytes used by the cached answers.', [{ labels: {}, value: bytes }]),
  ];
}

async function ledgerFamilies({ ledger, services, now }: StateDeps): Promise<readonly Family[]> {
  const [open, oldest, probe] = await Promise.all([
    timed(ledger.countOpen(), answerMs),
    timed(ledger.oldest(), answerMs),
    timed(ledger.probe(), answerMs),
  ]);
  const writable = gauge(
    'archivero_ledger_writable',
    'Whether the ledger can accept a request (1) or not (0).',
    [{ labels: {}, value: probe.ok ? 1 : 0 }],
  );
  const readable = gauge('archivero_ledger_readable', 'Whether the ledger answers reads (1) or not (0).', [
    { labels: {}, value: open.ok && oldest.ok ? 1 : 0 },
  ]);
  if (!open.ok || !oldest.ok) return [readable, writable];
  const seconds = oldest.value === undefined ? 0 : Math.max(0, now() - oldest.value) / 1000;
  return [
    readable,
    writable,
    gauge(
      'archivero_ledger_open',
      'Accepted requests that have no answer yet.',
      services.map((service) => ({ labels: { service }, value: open.value[service] ?? 0 })),
    ),
    gauge('archivero_ledger_oldest_seconds', 'Age of the oldest open request; 0 when none is open.', [
      { labels: {}, value: seconds },
    ]),
  ];
}

/** Reports the free space of the ledger's disk. A database server's disk is left to its own monitoring. */
async function diskFamilies({ ledgerFolder }: StateDeps): Promise<readonly Family[]> {
  if (ledgerFolder === undefined) return [];
  const disk = await timed(statfs(ledgerFolder), answerMs);
  if (!disk.ok) return [];
  const value = disk.value.bavail * disk.value.bsize;
  const help = 'Free bytes on the disk of the ledger.';
  return [gauge('archivero_ledger_disk_free_bytes', help, [{ labels: {}, value }])];
}

async function queueFamilies({ publisher, queues }: StateDeps): Promise<readonly Family[]> {
  if (publisher === undefined) return [];
  const usable = gauge('archivero_broker_usable', 'Whether RabbitMQ accepts messages (1) or not (0).', [
    { labels: {}, value: publisher.usable ? 1 : 0 },
  ]);
  if (!publisher.usable) return [usable];
  const inspections = await Promise.all(
    queues.map(async (queue) => ({ queue, depth: await timed(publisher.inspect(queue), answerMs) })),
  );
  const ready: Sample[] = [];
  const consumers: Sample[] = [];
  for (const { queue, depth } of inspections) {
    if (!depth.ok || depth.value === undefined) continue;
    ready.push({ labels: { queue }, value: depth.value.ready });
    consumers.push({ labels: { queue }, value: depth.value.consumers });
  }
  return [
    usable,
    gauge('archivero_queue_ready', 'Messages ready for delivery in a queue.', ready),
    gauge('archivero_queue_consumers', 'Consumers of a queue.', consumers),
  ];
}
