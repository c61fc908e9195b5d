import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { decompress } from '../../runtime/amqp/content-coding.ts';
import type { LinkState } from '../../runtime/amqp/link.ts';
import { MalformedMessageError } from '../../runtime/amqp/message-fields.ts';
import type { Session } from '../../runtime/amqp/session.ts';
import { createSubscriber, type Delivery } from '../../runtime/amqp/subscriber.ts';
import { declareReplies, repliesQueue } from '../../runtime/amqp/topology.ts';
import {
  decodeReplyAddress,
  decodeResult,
  type ReplyAddress,
  type WorkResult,
} from '../../runtime/amqp/work-message.ts';
import { parseStatusMessage, tooLargeError } from '../../runtime/errors.ts';
import type { Part } from '../../runtime/lifecycle.ts';
import { createSemaphore } from '../../runtime/semaphore.ts';
import { parseTraceContext } from '../../runtime/tracing/traceparent.ts';
import { beginSpan } from '../../runtime/tracing/tracing.ts';
import { classify } from '../calls/classifier.ts';
import type { Verdict } from '../calls/verdict.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Operation } from '../operations/operation.ts';
import type { Completion } from './completion.ts';
import type { DispatchRoute } from './dispatcher.ts';
import { type Ledger, LedgerUnavailableError, type Solicitud } from './ledger.ts';

export interface RepliesDeps {
  readonly url: string;
  readonly ledger: Ledger;
  readonly completion: Completion;
  readonly operation: (name: string) => Operation | undefined;
  /** Returns the direct route to a service, for answers that the broker does not carry. */
  readonly directRoute: (service: string) => DispatchRoute | undefined;
  readonly metrics: Pick<Metrics, 'replyDropped'>;
  readonly log: Logger;
  readonly now: () => number;
}

/** The consumer of this ledger's reply queue. */
export interface Replies extends Part {
  /** The queue's name, for `reply_to`. */
  readonly queue: string;
  /** Whether replies are being consumed now. */
  readonly connected: boolean;
  readonly state: LinkState;
  /** Notifies when `connected` may have changed; returns the unsubscribe function. */
  subscribe(listener: () => void): () => void;
}

const prefetch = 128;
const graceMs = 2_000;
const retryMs = 500;
const checkTimeoutMs = 2_000;
const largeBytes = 1024 * 1024;

/** A result, or the reason why it cannot be read. */
type ReadResult = WorkResult | { readonly kind: 'unreadable'; readonly error: MalformedMessageError };

async function readResult(delivery: Delivery): Promise<ReadResult> {
  try {
    return decodeResult(await decompress(delivery));
  } catch (error) {
    if (!(error instanceof MalformedMessageError)) throw error;
    return { kind: 'unreadable', error };
  }
}

function isTooLarge(result: ReadResult): boolean {
  return result.kind === 'status' && parseStatusMessage(result.message).reason === tooLargeError().reason;
}

function isLarge({ content, properties }: Delivery): boolean {
  return content.length > largeBytes || properties.contentEncoding !== undefined;
}

/**
 * Consumes replies from RabbitMQ (docs/wire.md), commits them to the ledger, then acknowledges them. A reply of no row, or
 * with a wrong reply token (forged), is dropped. A row's own reply that cannot be read closes it as `fallida`.
 */
export function createReplies({
  url,
  ledger,
  completion,
  operation,
  directRoute,
  metrics,
  log,
  now,
}: RepliesDeps): Replies {
  const queue = repliesQueue(ledger.id);
  const stopping = new AbortController();
  /** Large answers are taken one at a time, because they are in memory until they are committed. */
  const large = createSemaphore(1);
  const largeByCall = createSemaphore(1);
  /** Limits the log to one error per outage, instead of one per held delivery. */
  let storeFailing = false;

  /** Returns undefined when the service could not answer. Rejects when its reply cannot be read. */
  async function verdictOf(
    row: Solicitud,
    result: Exclude<ReadResult, { kind: 'poison' }>,
  ): Promise<Verdict | undefined> {
    if (result.kind === 'unreadable') throw result.error;
    if (result.kind === 'status') {
      const { code, message } = result;
      const judged = classify({ code, message, origin: 'server', sent: true, cancelledByUs: false });
      return judged.kind === 'verdict' ? judged : undefined;
    }
    const method = operation(row.operation)?.method;
    if (method === undefined) throw new Error(`No operation ${row.operation}`);
    return { ok: true, response: await method.response.parse(result.response) };
  }

  async function store(row: Solicitud, result: ReadResult): Promise<void> {
    if (result.kind === 'poison') return void (await completion.end(row, 'fallida'));
    const about = { id: row.id, requestId: row.requestId };
    let verdict: Verdict | undefined;
    try {
      verdict = await verdictOf(row, result);
    } catch (err) {
      log.error({ err, ...about }, 'reply unreadable; closing as fallida');
      await completion.end(row, 'fallida');
      return;
    }
    if (verdict !== undefined) return completion.complete(row, verdict);
    metrics.replyDropped('unavailable');
    // As after a call, the dispatcher asks again.
    log.warn({ result, ...about }, 'the service could not answer; the request stays open');
  }

  /** Calls the service for an answer that the broker does not carry, if gRPC reaches it. */
  async function callInstead(row: Solicitud): Promise<void> {
    const direct = directRoute(row.service);
    if (direct?.open) await direct.dispatch([row], { done: () => undefined }, stopping.signal);
  }

  /** Stores a reply in a span below the worker's, if that belongs to the request's trace: replies are untrusted. */
  async function storeTraced(row: Solicitud, traceparent: string, result: ReadResult): Promise<void> {
    const workSpan = parseTraceContext(traceparent);
    const same = workSpan !== undefined && workSpan.traceId === parseTraceContext(row.traceparent)?.traceId;
    const parent = same ? traceparent : row.traceparent;
    const span = beginSpan(`store reply of ${row.operation}`, 'consumer', parent, {
      'messaging.system': 'rabbitmq',
      'messaging.destination.name': queue,
      'messaging.message.id': row.id,
    });
    try {
      await store(row, result);
      span.end();
    } catch (error) {
      span.end({ failed: true });
      throw error;
    }
  }

  async function take(delivery: Delivery): Promise<void> {
    let address: ReplyAddress;
    try {
      address = decodeReplyAddress(delivery);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      metrics.replyDropped('malformed');
      log.warn(
        { reason: error.message },
        'malformed reply dropped; its request, if there is one, stays open',
      );
      return delivery.ack();
    }
    const { id, replyToken, traceparent } = address;
    const row = await ledger.get(id);
    if (row === undefined || row.replyToken !== replyToken) {
      metrics.replyDropped(row === undefined ? 'unknown' : 'witness');
      log.warn(
        { id, known: row !== undefined },
        'reply dropped; its request is unknown or its reply token is wrong',
      );
      return delivery.ack();
    }
    if (row.closedAt === undefined) {
      const result = await readResult(delivery);
      if (isTooLarge(result)) {
        await largeByCall.run(() => callInstead(row));
        // Not acknowledged, the reply goes to the next gateway.
        if (stopping.signal.aborted) return;
      }
      // A row that the call has closed stays as it is.
      await storeTraced(row, traceparent, result);
    } else {
      metrics.replyDropped('closed');
    }
    delivery.ack();
  }

  /** Retries until committed: the answer exists only in this delivery, so it waits for an unavailable ledger. */
  async function hold(delivery: Delivery): Promise<void> {
    while (delivery.held && !stopping.signal.aborted) {
      try {
        await take(delivery);
        if (storeFailing) log.info('ledger stores answers again');
        storeFailing = false;
        return;
      } catch (err) {
        if (!(err instanceof LedgerUnavailableError)) throw err;
        if (!storeFailing) log.error({ err }, 'ledger cannot store answers; holding them and trying again');
        storeFailing = true;
        await setTimeout(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  const onDelivery = (delivery: Delivery): Promise<void> =>
    isLarge(delivery) ? large.run(() => hold(delivery)) : hold(delivery);

  async function declare(session: Session): Promise<void> {
    const known = await session.onSpareChannel(checkTimeoutMs, (spare) =>
      spare.checkQueue(queue).then(
        () => true,
        (err: unknown) => {
          if ((err as { code?: unknown }).code === 404) return false;
          throw err;
        },
      ),
    );
    // Only the gateways of this ledger declare its reply queue. A broker without it was wiped or is another one. The
    // ledger records that before the queue exists again.
    if (!known) await ledger.unpublish(now());
    await declareReplies(session, ledger.id);
  }

  const subscriber = createSubscriber({
    url,
    name: 'archivero gateway replies',
    log,
    declare,
    queues: [{ name: queue, prefetch, onDelivery }],
  });

  return {
    name: 'replies',
    queue,
    get connected() {
      return subscriber.state.kind === 'ready';
    },
    get state() {
      return subscriber.state;
    },
    subscribe: subscriber.subscribe,
    start: async () => subscriber.start(),
    stop: async () => {
      stopping.abort();
      await subscriber.stop(graceMs);
    },
  };
}
