import type { Logger } from 'pino';
import { PublishError, type Publisher } from '../../runtime/amqp/publisher.ts';
import { queuesOf, requestsExchange } from '../../runtime/amqp/topology.ts';
import { encodeWork } from '../../runtime/amqp/work-message.ts';
import { beginSpan } from '../../runtime/tracing/tracing.ts';
import type { Operation } from '../operations/operation.ts';
import { type DispatchRoute, maxDeferMs } from './dispatcher.ts';
import { type Lease, settleAll } from './lease.ts';
import type { Ledger, Solicitud } from './ledger.ts';
import type { Replies } from './replies.ts';
import type { ServiceQueues } from './service-queues.ts';

export interface BrokerRouteDeps {
  readonly service: string;
  readonly ledger: Ledger;
  readonly publisher: Publisher;
  readonly serviceQueues: Pick<ServiceQueues, 'declared' | 'redeclare'>;
  readonly replies: Pick<Replies, 'queue' | 'connected'>;
  /** The route for rows that RabbitMQ cannot deliver; used while it is open. */
  readonly direct: DispatchRoute;
  readonly operation: (name: string) => Operation | undefined;
  readonly log: Logger;
  readonly now: () => number;
}

/** The depth of a service's queues. */
interface Depth {
  readonly ready: number;
  readonly consumers: number;
  readonly isolating: boolean;
}

/** Delay before a failed publish is retried. */
const retryMs = 1_000;
/** The first check of a queued row comes after 5 s, then after 10, 20, 40, and every 60. */
const firstCheckMs = 5_000;
/** Maximum rows published together. */
const maxRows = 256;

/**
 * Creates the broker route, the only code that publishes requests. It publishes rows never confirmed, and republishes only
 * what the broker has lost. That is a row published before a wipe, which the ledger records, or a row still open while
 * the service's queues hold no ready message. Republishing more would multiply messages in a long outage.
 *
 * When the queue has no consumer or rejects messages, rows take the direct route if it is open. A message left behind is
 * then answered into a closed row. Rows also take the direct route while replies cannot be received: after a crash the
 * reply queue may take seconds to recover.
 */
export function createBrokerRoute(deps: BrokerRouteDeps): DispatchRoute {
  const { service, ledger, publisher, serviceQueues, replies, direct, operation, log, now } = deps;
  const queues = queuesOf(service);
  const queue = queues.work;

  let publishing = 0;

  /** Publishes a row. A row to divert is added to `diverted` and stays in the lease. */
  async function publish(row: Solicitud, lease: Lease, diverted: Solicitud[]): Promise<void> {
    const attempt = row.attempts + 1;
    const method = operation(row.operation)?.method;
    if (method === undefined) {
      await ledger.defer(row.id, now() + maxDeferMs);
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
      // Returned: the queue or its binding is gone. The service may be away, so the gateway declares it again.
      if (err.kind === 'returned') await serviceQueues.redeclare(service);
      else if (err.kind !== 'too-many' && canDivert(diverted)) return void diverted.push(row);
      await ledger.defer(row.id, now() + retryMs);
      return lease.done(row.id);
    }
    const at = now();
    await ledger.published(row.id, at, at + Math.min(maxDeferMs, firstCheckMs * 2 ** row.attempts));
    lease.done(row.id);
    log.info({ id: row.id, requestId: row.requestId, queue, attempt }, 'published');
  }

  const canDivert = (diverted: readonly Solicitud[]): boolean => direct.open && direct.room > diverted.length;

  /**
   * Returns the depth of the service's queues; undefined when the work queue is gone. Isolated and quarantined messages
   * count, because they are not lost: a copy would kill workers even after its row is closed. `isolating`: a worker handles
   * such a message, or is about to, and does not consume the work queue meanwhile.
   */
  async function inspect(): Promise<Depth | undefined> {
    const work = await publisher.inspect(queues.work);
    if (work === undefined || (work.ready > 0 && work.consumers > 0))
      return work && { ...work, isolating: false };
    const [isolation, quarantine] = await Promise.all([
      publisher.inspect(queues.isolation),
      publisher.inspect(queues.quarantine),
    ]);
    return {
      ready: work.ready + (isolation?.ready ?? 0) + (quarantine?.ready ?? 0),
      consumers: work.consumers,
      isolating: work.consumers === 0 && (isolation?.consumers ?? 0) > 0,
    };
  }

  /** Returns the queued rows that must be published again. The others are added to `diverted` or deferred. */
  async function selectLost(
    rows: readonly Solicitud[],
    lease: Lease,
    diverted: Solicitud[],
  ): Promise<readonly Solicitud[]> {
    if (rows.length === 0) return rows;
    const depth = await inspect();
    if (depth === undefined) await serviceQueues.redeclare(service);
    const at = now();
    // A time further ahead than any deferral comes from a clock that was set back since, so it is ignored.
    const isWithin = (ms: number, publishedAt: number): boolean =>
      publishedAt + ms > at && publishedAt <= at + maxDeferMs;
    const isLost = ({ publishedAt }: Solicitud): boolean =>
      depth === undefined ||
      publishedAt === undefined ||
      (depth.ready === 0 && !depth.isolating && !isWithin(firstCheckMs, publishedAt));
    const lost = rows.filter(isLost);
    const staying = rows.filter((row) => !isLost(row));
    // A worker that isolates a message returns to its work queue soon; after a minute it counts as unable to work.
    const isAwaited = ({ publishedAt = 0 }: Solicitud): boolean =>
      depth?.isolating === true && isWithin(maxDeferMs, publishedAt);
    const unconsumed =
      depth?.consumers === 0 && canDivert(diverted) ? staying.filter((row) => !isAwaited(row)) : [];
    diverted.push(...unconsumed.slice(0, direct.room - diverted.length));
    // Unconsumed rows without room return when the diverted ones are answered; the claim defers rows that only wait.
    for (const row of staying) if (!unconsumed.includes(row)) lease.done(row.id);
    // Defers a long backlog in one statement. Lost rows are the oldest, so the first batch would have shown them.
    if (lost.length === 0 && unconsumed.length === 0)
      await ledger.deferQueued(service, at, at + firstCheckMs);
    return lost;
  }

  return {
    get open() {
      return publisher.usable && serviceQueues.declared(service) && (replies.connected || !direct.open);
    },
    get room() {
      return publishing === 0 ? maxRows : 0;
    },
    dispatch: async (rows, lease, signal) => {
      const diverted: Solicitud[] = [];
      publishing += 1;
      try {
        const queued = rows.filter((row) => row.state === 'encolada');
        const republish = await selectLost(queued, lease, diverted);
        const fresh = rows.filter((row) => row.state === 'aceptada');
        await settleAll([...republish, ...fresh].map((row) => publish(row, lease, diverted)));
      } finally {
        publishing -= 1;
      }
      await direct.dispatch(diverted, lease, signal);
    },
  };
}
