import type { Logger } from 'pino';
import { PublishError, type Publisher } from '../../runtime/amqp/publisher.ts';
import { queuesOf, requestsExchange } from '../../runtime/amqp/topology.ts';
import { encodeWork } from '../../runtime/amqp/work-message.ts';
import type { Operation } from '../operations/operation.ts';
import type { Way } from './dispatcher.ts';
import { everyOne, type Lease } from './lease.ts';
import type { Ledger, Solicitud } from './ledger.ts';
import type { Replies } from './replies.ts';

export interface QueueWayDeps {
  readonly service: string;
  readonly ledger: Ledger;
  readonly publisher: Publisher;
  readonly replies: Pick<Replies, 'queue'>;
  readonly operation: (name: string) => Operation | undefined;
  readonly log: Logger;
  readonly now: () => number;
}

/** A publish that failed is tried again after this. */
const retryMs = 1_000;
/** What is queued is looked at again after 5 s, then 10, 20, 40, and every 60. */
const firstCheckMs = 5_000;
const longestCheckMs = 60_000;

/**
 * The way through RabbitMQ, and the only place that publishes a request. It publishes what was never confirmed, and
 * again only what the broker has lost: what was published before it was wiped (the ledger knows), and what is still open
 * although the service's queue shows nothing ready any more. Anything else would multiply messages in a long outage.
 */
export function createQueueWay(deps: QueueWayDeps): Way {
  const { service, ledger, publisher, replies, operation, log, now } = deps;
  const queue = queuesOf(service).work;

  async function publish(row: Solicitud): Promise<void> {
    const attempt = row.attempts + 1;
    const method = operation(row.operation)?.method;
    if (method === undefined) return ledger.defer(row.id, row.expiresAt);
    try {
      await publisher.publish({
        exchange: requestsExchange,
        routingKey: service,
        ...encodeWork({ ...row, type: method.fullName, replyTo: replies.queue, attempt }),
      });
    } catch (err) {
      if (!(err instanceof PublishError)) throw err;
      log.warn(
        { id: row.id, requestId: row.requestId, kind: err.kind },
        'not published; it stays in the ledger',
      );
      // Returned means that the queue or its binding is gone: nobody else may be there to declare it again.
      if (err.kind === 'returned') await publisher.redeclare();
      return ledger.defer(row.id, now() + retryMs);
    }
    const at = now();
    await ledger.published(row.id, at, at + Math.min(longestCheckMs, firstCheckMs * 2 ** row.attempts));
    log.info({ id: row.id, requestId: row.requestId, queue, attempt }, 'published');
  }

  /** Which of the rows that are queued already must be published again. The others stay put off by their claim. */
  async function lost(rows: readonly Solicitud[], lease: Lease): Promise<readonly Solicitud[]> {
    if (rows.length === 0) return rows;
    const depth = await publisher.inspect(queue);
    if (depth === undefined) await publisher.redeclare();
    const at = now();
    const gone = rows.filter(
      ({ publishedAt }) =>
        depth === undefined ||
        publishedAt === undefined ||
        (depth.ready === 0 && publishedAt + firstCheckMs <= at),
    );
    for (const row of rows) if (!gone.includes(row)) lease.done(row.id);
    // One statement for a long backlog. What is lost is the oldest of it, so it is in the first batch that is looked at.
    if (gone.length === 0) await ledger.deferQueued(service, at, at + firstCheckMs);
    return gone;
  }

  return {
    get open() {
      return publisher.usable;
    },
    dispatch: async (rows, lease) => {
      const again = await lost(
        rows.filter((row) => row.state === 'encolada'),
        lease,
      );
      const fresh = rows.filter((row) => row.state === 'aceptada');
      await everyOne(
        [...again, ...fresh].map(async (row) => {
          await publish(row);
          lease.done(row.id);
        }),
      );
    },
  };
}
