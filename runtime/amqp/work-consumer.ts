import type { Logger } from 'pino';
import type { ServedMethod } from '../handlers.ts';
import { createReminder } from '../reminder.ts';
import { createSemaphore } from '../semaphore.ts';
import { Status, statusName } from '../status.ts';
import { beginSpan } from '../tracing/tracing.ts';
import { backOff } from './back-off.ts';
import { type WayBack, wayBack } from './dead-letters.ts';
import { createIsolationGate } from './isolation-gate.ts';
import type { LinkState } from './link.ts';
import { MalformedMessageError } from './message-fields.ts';
import { createPublisher } from './publisher.ts';
import { brokerReason } from './refusal.ts';
import type { Session } from './session.ts';
import { createSubscriber, type Delivery } from './subscriber.ts';
import { declareQueues, declareRouting, queuesOf } from './topology.ts';
import { handBack, prepareReply, sendReply } from './work-delivery.ts';
import { decodeWork, type Encoded, type WorkMessage, type WorkResult } from './work-message.ts';
import { runWork } from './work-run.ts';

/** Consumes and answers the requests that a microservice gets through RabbitMQ. */
export interface WorkConsumer {
  /** State of the worse of its two connections. */
  readonly state: LinkState;
  /** Calls the listener when `state` changes; returns the function that unsubscribes. */
  subscribe(listener: () => void): () => void;
  /** Returns at once; the broker may be down. */
  start(): void;
  /**
   * Stops deliveries, waits up to `graceMs` for requests in progress, and aborts the rest, which the broker delivers
   * again. May be called twice, and before `start`.
   */
  stop(graceMs: number): Promise<void>;
}

export interface WorkConsumerOptions {
  readonly url: string;
  /** Name in the registry: `mserv1`. */
  readonly service: string;
  readonly methods: readonly ServedMethod[];
  readonly log: Logger;
  /** Limit of requests that run at once. Default 16. */
  readonly concurrency?: number;
  /** Limit of requests that are held, including those whose replies await their confirm. Default 64. */
  readonly prefetch?: number;
  /** Time limit of one request. Default 60000. */
  readonly workTimeoutMs?: number;
  /**
   * Time that a request is held while the service cannot work. Default 30 s: `consumer_timeout` is a minute at least.
   */
  readonly maxHoldMs?: number;
  /** Time to wait for a missing reply queue. Default 10000. */
  readonly replyPatienceMs?: number;
}

/** A reply that is to be sent. */
interface ReadyReply {
  readonly encoded: Encoded;
  readonly failed: boolean;
  readonly logFields: Record<string, unknown>;
}

/**
 * Consumes a service's three queues, runs the requests, and acknowledges each once its reply is confirmed.
 *
 * - The isolation queue holds requests that killed their consumer; they run one by one. The quarantine holds those
 *   that killed it there too; they are answered without being run. What only expired in a queue is run.
 * - A copy of a request that is being worked on is dropped: the gateway publishes again when it sees an empty queue.
 * - While the handler answers UNAVAILABLE, the request is held, its queue is paused, and it is tried again. So a
 *   pause costs a message one delivery at most.
 * - Nothing is consumed while replies cannot be published.
 */
export function createWorkConsumer(options: WorkConsumerOptions): WorkConsumer {
  const { url, service, log, prefetch = 64, concurrency = 16, workTimeoutMs = 60_000 } = options;
  const semaphore = createSemaphore(concurrency);
  const { maxHoldMs = 30_000, replyPatienceMs = 10_000 } = options;
  const methods = new Map(options.methods.map((served) => [served.method.fullName, served]));
  const queues = queuesOf(service);
  /** Aborted by `stop`: requests no longer wait for the service. */
  const stopping = new AbortController();
  /** Aborted when the grace period is over. */
  const aborting = new AbortController();
  /** Number of requests per queue that wait for the service. */
  const waiting = new Map(Object.values(queues).map((queue) => [queue, 0]));
  /** The delivery of each request that is being worked on, by `keyOf`. */
  const inProgress = new Map<string, Delivery>();

  const reminder = createReminder();
  const declare = {
    async declare(session: Session): Promise<void> {
      await declareQueues(session, service);
      try {
        await declareRouting(session, service);
      } catch (error) {
        if (session.signal.aborted) throw error;
        // The exchange may be wrong or forbidden. Requests that are in the queue already need no exchange.
        const reason = brokerReason(error);
        if (reminder.isDue(reason))
          log.warn({ reason }, 'exchange of the requests cannot be used; consuming the queue all the same');
      }
    },
  };
  const publisher = createPublisher({ url, name: `archivero ${service} replies`, log, ...declare });
  const consume = (name: string, atOnce: number) => ({
    name,
    prefetch: atOnce,
    paused: true,
    onDelivery: take,
  });
  const subscriber = createSubscriber({
    url,
    name: `archivero ${service} consumer`,
    log,
    ...declare,
    queues: [consume(queues.work, prefetch), consume(queues.isolation, 1), consume(queues.quarantine, 1)],
  });

  const isolation = createIsolationGate({
    depth: async () => (await publisher.inspect(queues.isolation))?.ready ?? 0,
    onChange: regulate,
    signal: stopping.signal,
  });

  function mayConsume(queue: string): boolean {
    const mayWork = queue !== queues.work || isolation.open;
    return publisher.usable && waiting.get(queue) === 0 && mayWork && !stopping.signal.aborted;
  }

  function regulate(): void {
    for (const queue of waiting.keys()) {
      if (mayConsume(queue)) subscriber.resume(queue);
      else subscriber.pause(queue);
    }
  }

  function onConnection(): void {
    if (publisher.state.kind !== 'ready' || subscriber.state.kind !== 'ready') isolation.reset();
    regulate();
  }

  async function take(delivery: Delivery): Promise<void> {
    if (delivery.queue === queues.isolation) await isolation.take(() => answer(delivery));
    else await answer(delivery);
  }

  async function answer(delivery: Delivery): Promise<void> {
    let work: WorkMessage;
    try {
      work = decodeWork(delivery);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      log.error(
        { reason: error.message, queue: delivery.queue },
        'a message that cannot be answered was dropped',
      );
      return delivery.ack();
    }
    const requestLog = log.child({ requestId: work.requestId, id: work.id });
    if (delivery.queue === queues.quarantine) {
      const back = wayBack(delivery, queues);
      if (back !== undefined) return giveBack(work, delivery, back, requestLog);
    } else if (work.problem === undefined && inProgress.get(keyOf(work))?.held === true) {
      requestLog.info('a copy of a request in progress was dropped');
      return delivery.ack();
    } else {
      inProgress.set(keyOf(work), delivery);
    }
    try {
      await reply(work, delivery, requestLog);
    } finally {
      if (inProgress.get(keyOf(work)) === delivery) inProgress.delete(keyOf(work));
    }
  }

  /** Returns a message that was never run to the queue in which it expired, once that is consumed. */
  async function giveBack(
    work: WorkMessage,
    delivery: Delivery,
    back: WayBack,
    requestLog: Logger,
  ): Promise<void> {
    for (let attempt = 0; delivery.held; attempt += 1) {
      if (mayConsume(back.queue)) await handBack(work, delivery, back, { publisher, log: requestLog });
      if (delivery.held && !(await backOff(attempt, stopping.signal))) return;
    }
  }

  async function reply(work: WorkMessage, delivery: Delivery, requestLog: Logger): Promise<void> {
    const begun = performance.now();
    const span = beginSpan(`process ${work.type}`, 'consumer', work.traceparent, {
      'messaging.system': 'rabbitmq',
      'messaging.destination.name': delivery.queue,
      ...(work.id !== undefined && { 'messaging.message.id': work.id }),
    });
    const { traceparent } = span;
    const ready = await replyTo({ ...work, traceparent }, delivery, requestLog);
    if (ready === undefined) return span.end({ failed: true });
    const replying = { publisher, patienceMs: replyPatienceMs, signal: aborting.signal, log: requestLog };
    const replied = await sendReply({ ...work, traceparent }, ready.encoded, delivery, replying);
    span.end({ failed: !replied || ready.failed });
    if (!replied) return;
    const ms = Math.round((performance.now() - begun) * 10) / 10;
    requestLog.info({ transport: 'rabbitmq', method: work.type, ...ready.logFields, ms }, 'call');
  }

  /**
   * Runs a request and encodes its reply. Both take one of the slots, so that few replies exist uncompressed. Returns
   * undefined when the request was handed back or is no longer held, or the process stops.
   */
  async function replyTo(
    work: WorkMessage,
    delivery: Delivery,
    requestLog: Logger,
  ): Promise<ReadyReply | undefined> {
    const ready = async (result: WorkResult): Promise<ReadyReply> => ({
      encoded: await prepareReply({ ...work, result }),
      failed: result.kind !== 'answer',
      logFields: logFieldsOf(result),
    });
    if (delivery.queue === queues.quarantine) return ready({ kind: 'poison' });
    const holdUntil = performance.now() + maxHoldMs;
    const options = { methods, timeoutMs: workTimeoutMs, signal: aborting.signal, log: requestLog };
    let isWaiting = false;
    const wait = (now: boolean): void => {
      if (now === isWaiting) return;
      isWaiting = now;
      waiting.set(delivery.queue, (waiting.get(delivery.queue) ?? 0) + (now ? 1 : -1));
      regulate();
    };
    const run = async (): Promise<ReadyReply | { readonly reason: string } | undefined> => {
      // The connection may have been lost meanwhile. A request that was handed back goes on, to see when the service works.
      if (!delivery.held && !isWaiting) return undefined;
      const outcome = await runWork(work, options);
      return outcome.kind === 'not-yet' ? outcome : ready(outcome);
    };
    try {
      for (let attempt = 0; ; attempt += 1) {
        const outcome = await isolation.run(delivery.queue === queues.isolation, () => semaphore.run(run));
        if (outcome === undefined || 'encoded' in outcome) return outcome;
        if (!isWaiting)
          requestLog.warn({ reason: outcome.reason }, 'the service cannot work yet; the request waits');
        wait(true);
        const goOn = await backOff(attempt, stopping.signal);
        if (!goOn || performance.now() >= holdUntil) {
          // The copy is no copy of a request in progress.
          inProgress.delete(keyOf(work));
          await handBack(work, delivery, delivery, { publisher, log: requestLog });
        }
        if (!goOn) return undefined;
      }
    } finally {
      wait(false);
    }
  }

  let end: Promise<void> | undefined;
  async function stop(graceMs: number): Promise<void> {
    stopping.abort();
    await subscriber.stop(graceMs);
    aborting.abort();
    await publisher.stop();
  }

  return {
    get state() {
      return publisher.state.kind === 'ready' ? subscriber.state : publisher.state;
    },
    subscribe(listener) {
      const ends = [publisher.subscribe(listener), subscriber.subscribe(listener)];
      return () => {
        for (const each of ends) each();
      };
    },
    start() {
      publisher.subscribe(onConnection);
      subscriber.subscribe(onConnection);
      publisher.start();
      subscriber.start();
      isolation.reset();
    },
    stop(graceMs) {
      end ??= stop(graceMs);
      return end;
    },
  };
}

/** Returns what the messages of one request have in common, and no other. */
function keyOf({ id, replyTo, replyToken }: WorkMessage): string {
  return JSON.stringify([id, replyTo, replyToken]);
}

/**
 * Returns a result's log fields, named as in the gRPC listener's log. A request that was not run has no code.
 */
function logFieldsOf(result: WorkResult): Record<string, unknown> {
  if (result.kind === 'answer') return { code: statusName(Status.OK) };
  if (result.kind === 'status') return { code: statusName(result.code), detail: result.message };
  return { notRun: result.kind };
}
