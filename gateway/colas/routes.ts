import Router from '@koa/router';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import * as z from 'zod';
import type { Publisher } from '../../runtime/amqp/publisher.ts';
import type { Part } from '../../runtime/lifecycle.ts';
import { readJsonBody, readOptionalJsonBody } from '../http/body.ts';
import { disconnectSignal } from '../http/disconnect-signal.ts';
import { assertMayAct } from '../http/preconditions.ts';
import { ProblemError } from '../http/problem.ts';
import { readQuery } from '../http/query.ts';
import type { Context, State } from '../http/state.ts';
import { readStrictly } from '../operations/strict-query.ts';
import { createConnection } from './connection.ts';
import { describeQueue, describeQueues } from './description.ts';
import { createManagement, type Management } from './management.ts';
import { defaultQueue, type QueueName, queueOf, userQueueOf } from './name.ts';
import { createPusher, takeMessage } from './user-queue.ts';

export interface ColasDeps {
  /** Undefined when no broker is configured, and so is `publisher`. */
  readonly brokerUrl: string | undefined;
  readonly managementUrl: string | undefined;
  readonly publisher: Publisher | undefined;
  /** The queues that carry requests and replies. */
  readonly internalQueues: readonly string[];
  readonly log: Logger;
}

export interface Colas extends Part {
  /** Undefined when no management API is configured. */
  readonly management: Management | undefined;
  /** `/colas` and `/apis/queue`. */
  routes(): Router<State>;
}

const maxMessageBytes = 256 * 1024;
/** Limit of a body that must be empty or `{}`. */
const maxEmptyBodyBytes = 1024;

const maxSeenQueues = 1_000;

/** The schema of the body of a push. */
export const pushBody = z.object({ mensaje: z.unknown().refine((value) => value !== undefined) });
const emptyBody = z.object({});

/** Opens the queue endpoints: the state of every queue, and push and pop on user queues. */
export function openColas({ brokerUrl, managementUrl, publisher, internalQueues, log }: ColasDeps): Colas {
  const opened = brokerUrl === undefined ? undefined : createConnection(brokerUrl, log);
  const pushMessage = opened && publisher && createPusher(opened, publisher);
  const management =
    brokerUrl === undefined || managementUrl === undefined
      ? undefined
      : createManagement(managementUrl, brokerUrl, log);
  /** User queues pushed to lately. They complete the listing when there is no management API. */
  const seen = new LRUCache<string, true>({ max: maxSeenQueues });

  function connection() {
    if (opened === undefined) throw new ProblemError('sin-rabbitmq');
    return opened;
  }

  async function push(ctx: Context, queue: QueueName): Promise<void> {
    noQuery(ctx);
    const { mensaje } = await readJsonBody(ctx, pushBody, maxMessageBytes);
    if (pushMessage === undefined) throw new ProblemError('sin-rabbitmq');
    assertMayAct(ctx);
    const { requestId, traceparent } = ctx.state;
    const id = await pushMessage(queue.nombre, { text: JSON.stringify(mensaje), requestId, traceparent });
    seen.set(queue.nombre, true);
    send(ctx, { cola: queue.nombre, id }, 201);
  }

  async function pop(ctx: Context, queue: QueueName): Promise<void> {
    noQuery(ctx);
    await readOptionalJsonBody(ctx, emptyBody, maxEmptyBodyBytes);
    const broker = connection();
    assertMayAct(ctx);
    const taken = await takeMessage(broker, queue.nombre, disconnectSignal(ctx));
    if (taken === undefined) return send(ctx, { mensaje: null, vacia: true });
    send(ctx, { mensaje: null, vacia: false, cola: queue.nombre, ...taken });
  }

  async function count(ctx: Context, queue: QueueName): Promise<void> {
    noQuery(ctx);
    const { nombre, listos } = await describeQueue(connection(), undefined, queue);
    send(ctx, { cola: nombre, conteo: listos });
  }

  /** The default queue is declared at its first push. Until then it answers as an empty queue. */
  async function orEmpty(ctx: Context, body: object, answer: () => Promise<void>): Promise<void> {
    try {
      await answer();
    } catch (error) {
      if (!(error instanceof ProblemError) || error.slug !== 'cola-no-encontrada') throw error;
      send(ctx, body);
    }
  }

  return {
    name: 'colas',
    management,
    routes: () => {
      const router = new Router<State>();
      router.get('/colas', async (ctx) => {
        noQuery(ctx);
        send(
          ctx,
          await describeQueues(connection(), management, [
            ...internalQueues,
            ...new Set([defaultQueue.nombre, ...seen.keys()]),
          ]),
        );
      });
      router.get('/colas/:cola', async (ctx) => {
        noQuery(ctx);
        send(ctx, await describeQueue(connection(), management, queueOf(ctx.params['cola'] ?? '')));
      });
      router.get('/colas/:cola/conteo', (ctx) => count(ctx, queueOf(ctx.params['cola'] ?? '')));
      router.post('/colas/:cola/mensajes', (ctx) => push(ctx, userQueueOf(ctx.params['cola'] ?? '')));
      router.post('/colas/:cola/desencolar', (ctx) => pop(ctx, userQueueOf(ctx.params['cola'] ?? '')));

      const { nombre: cola } = defaultQueue;
      router.post('/apis/queue/push', (ctx) => push(ctx, defaultQueue));
      router.post('/apis/queue/pop', (ctx) =>
        orEmpty(ctx, { mensaje: null, vacia: true }, () => pop(ctx, defaultQueue)),
      );
      router.get('/apis/queue/count', (ctx) =>
        orEmpty(ctx, { cola, conteo: 0 }, () => count(ctx, defaultQueue)),
      );
      return router;
    },
    start: async () => undefined,
    stop: async () => {
      await opened?.stop();
    },
  };
}

const noParameters = z.object({});

function noQuery(ctx: Context): void {
  readStrictly(noParameters, readQuery(ctx.state.target), []);
}

function send(ctx: Context, body: object, status = 200): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  ctx.body = body;
}
