import { statfs } from 'node:fs/promises';
import type { Publisher } from '../../runtime/amqp/publisher.ts';
import type { AnswerCache } from '../answers/answer-cache.ts';
import type { Caller } from '../calls/service-client.ts';
import { type Family, gauge, type Sample, type Source } from '../metrics/family.ts';
import type { Ledger } from '../solicitudes/ledger.ts';
import { timed } from './timed.ts';

export interface StateDeps {
  readonly services: readonly string[];
  readonly callers: readonly Caller[];
  readonly cache: Pick<AnswerCache, 'size'>;
  readonly ledger: Pick<Ledger, 'open' | 'oldest' | 'probe'>;
  /** Where its file is, when it has one. */
  readonly ledgerFolder: string | undefined;
  readonly publisher: Pick<Publisher, 'usable' | 'inspect'> | undefined;
  readonly queues: readonly string[];
  readonly now: () => number;
}

/** A scrape does not wait longer than this for a part that hangs; it does without what that one would tell. */
const answerMs = 900;

/** What is not counted but looked at when somebody scrapes: breakers, ledger, queues. */
export function stateSource(deps: StateDeps): Source {
  return async () => [
    breakers(deps.callers),
    ...cacheFamilies(deps.cache),
    ...(await ledgerFamilies(deps)),
    ...(await diskFamilies(deps)),
    ...(await queueFamilies(deps)),
  ];
}

function breakers(callers: readonly Caller[]): Family {
  const values = callers.flatMap((caller) =>
    caller.addresses().map(({ address, breaker }) => ({
      labels: { service: caller.service, address },
      value: breaker === 'open' ? 1 : 0,
    })),
  );
  return gauge('archivero_breaker_open', 'Whether calls to an address are held back: 1 is open.', values);
}

function cacheFamilies(cache: StateDeps['cache']): readonly Family[] {
  const { answers, bytes } = cache.size();
  return [
    gauge('archivero_cache_answers', 'Answers that are kept. (Those served from it have served="cache".)', [
      { labels: {}, value: answers },
    ]),
    gauge('archivero_cache_bytes', 'What they take.', [{ labels: {}, value: bytes }]),
  ];
}

async function ledgerFamilies({ ledger, services, now }: StateDeps): Promise<readonly Family[]> {
  const [open, oldest, room] = await Promise.all([
    timed(ledger.open(), answerMs),
    timed(ledger.oldest(), answerMs),
    timed(ledger.probe(), answerMs),
  ]);
  const writable = gauge('archivero_ledger_writable', 'Whether a request could be accepted now.', [
    { labels: {}, value: room.ok ? 1 : 0 },
  ]);
  const readable = gauge('archivero_ledger_readable', 'Whether the ledger answers.', [
    { labels: {}, value: open.ok && oldest.ok ? 1 : 0 },
  ]);
  if (!open.ok || !oldest.ok) return [readable, writable];
  const seconds = oldest.value === undefined ? 0 : Math.max(0, now() - oldest.value) / 1000;
  return [
    readable,
    writable,
    gauge(
      'archivero_ledger_open',
      'Accepted requests without an answer yet.',
      services.map((service) => ({ labels: { service }, value: open.value[service] ?? 0 })),
    ),
    gauge('archivero_ledger_oldest_seconds', 'How long the oldest of them has been waiting; 0 without any.', [
      { labels: {}, value: seconds },
    ]),
  ];
}

/** A database server has a disk of its own, and others who look at it. */
async function diskFamilies({ ledgerFolder }: StateDeps): Promise<readonly Family[]> {
  if (ledgerFolder === undefined) return [];
  const disk = await timed(statfs(ledgerFolder), answerMs);
  if (!disk.ok) return [];
  const value = disk.value.bavail * disk.value.bsize;
  const help = 'What is free on the disk of the ledger.';
  return [gauge('archivero_ledger_disk_free_bytes', help, [{ labels: {}, value }])];
}

async function queueFamilies({ publisher, queues }: StateDeps): Promise<readonly Family[]> {
  if (publisher === undefined) return [];
  const usable = gauge('archivero_broker_usable', 'Whether RabbitMQ takes messages.', [
    { labels: {}, value: publisher.usable ? 1 : 0 },
  ]);
  if (!publisher.usable) return [usable];
  const looks = await Promise.all(
    queues.map(async (queue) => ({ queue, depth: await timed(publisher.inspect(queue), answerMs) })),
  );
  const ready: Sample[] = [];
  const consumers: Sample[] = [];
  for (const { queue, depth } of looks) {
    if (!depth.ok || depth.value === undefined) continue;
    ready.push({ labels: { queue }, value: depth.value.ready });
    consumers.push({ labels: { queue }, value: depth.value.consumers });
  }
  return [
    usable,
    gauge('archivero_queue_ready', 'Messages that wait in a queue.', ready),
    gauge('archivero_queue_consumers', 'Who takes from a queue.', consumers),
  ];
}
