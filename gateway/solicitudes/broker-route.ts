import type { Logger } from 'pino';
import { PublishError, type Publisher } from '../../runtime/amqp/publisher.ts';
import { queuesOf, requestsExchange } from '../../runtime/amqp/topology.ts';
import { encodeWork } from '../../runtime/amqp/work-message.ts';
import { beginSpan } from '../../runtime/tracing/tracing.ts';
import type { Operation } from '../operations/operation.ts';
import { longestDeferMs, type Way } from './dispatcher.ts';
import { everyOne, type Lease } from './lease.ts';
import type { Ledger, Solicitud } from './ledger.ts';
import type { Replies } from './replies.ts';

export interface QueueWayDeps {
  readonly service: string;
  readonly ledger: Ledger;
  readonly publisher: Publisher;
  readonly replies: Pick<Replies, 'queue' | 'connected'>;
  /** Takes what RabbitMQ would take nowhere, while it is open. */
  readonly otherwise: Way;
  readonly operation: (name: string) => Operation | undefined;
  readonly log: Logger;
  readonly now: () => number;
}

/** Messages that wait for a service, and who takes its work. */
interface Look {
  readonly ready: number;
  readonly consumers: number;
  readonly resting: boolean;
}

/** A publish that failed is tried again after this. */
const retryMs = 1_000;
/** What is queued is looked at again after 5 s, then 10, 20, 40, and every 60. */
const firstCheckMs = 5_000;
/** Rows that are published together. */
const batch = 256;

/**
 * The way through RabbitMQ, and the only place that publishes a request. It publishes what was never confirmed, and
 * again only what the broker has lost: what was published before it was wiped (the ledger knows), and what is still open
 * although the service's queues show nothing ready any more. Anything else would multiply messages in a long outage.
 *
 * A broker that is there may still lead nowhere: nobody consumes the queue, or the queue takes nothing. What waits for
 * that goes the other way instead, if that one is open; the message that may be left is answered into a closed row. So
 * does everything while the replies cannot be taken: it may be seconds until their queue works again after a crash.
 */
export function createQueueWay(deps: QueueWayDeps): Way {
  const { service, ledger, publisher, replies, otherwise, operation, log, now } = deps;
  const queues = queuesOf(service);
  const queue = queues.work;

  let publishing = 0;

  /** Rows that are to go the other way are put `aside`, and not told to the lease. */
  async function publish(row: Solicitud, lease: Lease, aside: Solicitud[]): Promise<void> {
    const attempt = row.attempts + 1;
    const method = operation(row.operation)?.method;
    if (method === undefined) {
      await ledger.defer(row.id, now() + longestDeferMs);
      return lease.done(row.id);
    }
    const span = beginSpan(`publish ${queue}`, 'producer', row.traceparent, {
      'messaging.system': 'rabbitmq',
      'messaging.destination.name': queue,
      'messaging.message.id': row.id,
    });
    const { traceparent } = span;
    try {
      await publisher.publish({
        exchange: requestsExchange,
        routingKey: service,
        ...encodeWork({ ...row, traceparent, type: method.fullName, replyTo: replies.queue, attempt }),
      });
      span.end();
    } catch (err) {
      span.end({ failed: true });
      if (!(err instanceof PublishError)) throw err;
      log.warn(
        { id: row.id, requestId: row.requestId, kind: err.kind },
        'not published; it stays in the ledger',
      );
      // Returned means that the queue or its binding is gone: nobody else may be there to declare it again.
      if (err.kind === 'returned') await publisher.redeclare();
      else if (err.kind !== 'too-many' && canDivert(aside)) return void aside.push(row);
      await ledger.defer(row.id, now() + retryMs);
      return lease.done(row.id);
    }
    const at = now();
    await ledger.published(row.id, at, at + Math.min(longestDeferMs, firstCheckMs * 2 ** row.attempts));
    lease.done(row.id);
    log.info({ id: row.id, requestId: row.requestId, queue, attempt }, 'published');
  }

  const canDivert = (aside: readonly Solicitud[]): boolean => otherwise.open && otherwise.room > aside.length;

  /**
   * What the service's queues show; undefined when the work queue is gone. What killed its worker is in the isolation queue
   * or in the quarantine, and not lost: a copy of it would go on killing when its row is closed already. `resting`: a
   * worker holds one of these, or is about to, and leaves the work queue alone meanwhile.
   */
  async function look(): Promise<Look | undefined> {
    const work = await publisher.inspect(queues.work);
    if (work === undefined || (work.ready > 0 && work.consumers > 0))
      return work && { ...work, resting: false };
    const [isolation, quarantine] = await Promise.all([
      publisher.inspect(queues.isolation),
      publisher.inspect(queues.quarantine),
    ]);
    return {
      ready: work.ready + (isolation?.ready ?? 0) + (quarantine?.ready ?? 0),
      consumers: work.consumers,
      resting: work.consumers === 0 && (isolation?.consumers ?? 0) > 0,
    };
  }

  /** Which of the rows that are queued already must be published again. The others are put `aside`, or off. */
  async function lost(
    rows: readonly Solicitud[],
    lease: Lease,
    aside: Solicitud[],
  ): Promise<readonly Solicitud[]> {
    if (rows.length === 0) return rows;
    const depth = await look();
    if (depth === undefined) await publisher.redeclare();
    const at = now();
    // A time that is ahead by more than rows are ever put off is of a clock that was set back since, and says nothing.
    const isWithin = (ms: number, publishedAt: number): boolean =>
      publishedAt + ms > at && publishedAt <= at + longestDeferMs;
    const isGone = ({ publishedAt }: Solicitud): boolean =>
      depth === undefined ||
      publishedAt === undefined ||
      (depth.ready === 0 && !depth.resting && !isWithin(firstCheckMs, publishedAt));
    const gone = rows.filter(isGone);
    const staying = rows.filter((row) => !isGone(row));
    // Who isolates something comes back to its work queue soon; who has not in a minute cannot work, and is not waited for.
    const isSpared = ({ publishedAt = 0 }: Solicitud): boolean =>
      depth?.resting === true && isWithin(longestDeferMs, publishedAt);
    const unconsumed =
      depth?.consumers === 0 && canDivert(aside) ? staying.filter((row) => !isSpared(row)) : [];
    aside.push(...unconsumed.slice(0, otherwise.room - aside.length));
    // The rest of them is given back as soon as these are answered; what only waits stays put off by its claim.
    for (const row of staying) if (!unconsumed.includes(row)) lease.done(row.id);
    // One statement for a long backlog. What is lost is the oldest of it, so it is in the first batch that is looked at.
    if (gone.length === 0 && unconsumed.length === 0)
      await ledger.deferQueued(service, at, at + firstCheckMs);
    return gone;
  }

  return {
    get open() {
      return publisher.usable && (replies.connected || !otherwise.open);
    },
    get room() {
      return publishing === 0 ? batch : 0;
    },
    dispatch: async (rows, lease, signal) => {
      const aside: Solicitud[] = [];
      publishing += 1;
      try {
        const queued = rows.filter((row) => row.state === 'encolada');
        const again = await lost(queued, lease, aside);
        const fresh = rows.filter((row) => row.state === 'aceptada');
        await everyOne([...again, ...fresh].map((row) => publish(row, lease, aside)));
      } finally {
        publishing -= 1;
      }
      await otherwise.dispatch(aside, lease, signal);
    },
  };
}
