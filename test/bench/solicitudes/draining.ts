import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect } from 'amqplib';
import { queuesOf } from '../../../runtime/amqp/topology.ts';
import { untilIdle } from '../gateway/load.ts';
import { type SolicitudesSetUp, startSetUp } from './set-up.ts';

export interface Draining {
  /** Round trips of bare amqplib per second, from the first reply to the last. */
  readonly bare: number;
  /** Stored answers per second, from the first to the last. */
  readonly ours: number;
  /** Time from the kill of the service to the first 202. */
  readonly firstAcceptedMs: number;
  /** Time from the opening of the service's port to the first direct answer, while the backlog drains. */
  readonly firstDirectMs: number;
}

/** Time that a service runs before it is killed. */
const settleMs = 1_000;

/** Measures how fast a restarted service answers a backlog, beside bare amqplib with the same two hops. */
export async function measureDraining(rabbit: string, backlog: number): Promise<Draining> {
  const bare = await measureAmqplib(rabbit, backlog);
  await untilIdle();
  const it = await startSetUp(rabbit);
  try {
    const firstAcceptedMs = await killService(it);
    await it.fill(backlog);
    await it.untilQueued(backlog);
    await untilIdle();
    const since = Date.now();
    await it.startService();
    const firstDirectMs = await untilAnswered(it, 'grpc');
    return { bare, ours: await it.untilClosed(since, backlog), firstAcceptedMs, firstDirectMs };
  } finally {
    await it.stop();
    await deleteQueues(rabbit, queuesOf('mserv1').work);
  }
}

/** Kills the service under requests; returns the milliseconds from the kill to the first 202. */
async function killService(it: SolicitudesSetUp): Promise<number> {
  const service = await it.startService();
  await untilAnswered(it, 'grpc');
  await delay(settleMs);
  process.kill(service.pid, 'SIGKILL');
  return untilAnswered(it, 'cola');
}

/** Sends one request after another until `Servido-Por` has a value; returns the milliseconds. */
async function untilAnswered(it: SolicitudesSetUp, servedBy: 'grpc' | 'cola'): Promise<number> {
  const begun = performance.now();
  for (;;) {
    // Each path is new, so that no answer comes from the cache.
    const answer = await it.client.get(
      `/listar_archivos?limite=9999&recursivo=true&profundidad=${1 + (requests++ % 1000)}`,
    );
    if (answer.servedBy === servedBy) return performance.now() - begun;
    await delay(1);
  }
}
let requests = 0;

async function measureAmqplib(url: string, count: number): Promise<number> {
  const service = 'medida';
  const replies = 'archivero.respuestas.medida.v1';
  await declare(url, service, replies);
  const script = fileURLToPath(new URL('two-hops.ts', import.meta.url));
  const start = async (role: string): Promise<ChildProcess> => {
    const child = fork(script, [role, url, service, replies]);
    await once(child, 'message');
    return child;
  };
  const [requester, worker] = [await start('requester'), await start('worker')];
  try {
    requester.send(count);
    await once(requester, 'message');
    await untilIdle();
    worker.send('go');
    const [{ answeredMs }] = (await once(requester, 'message')) as [{ answeredMs: number }];
    return count / (answeredMs / 1000);
  } finally {
    for (const child of [requester, worker]) {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    }
    await deleteQueues(url, queuesOf(service).work, replies);
  }
}

/** Declares queues with the same arguments as the product's. */
async function declare(url: string, service: string, replies: string): Promise<void> {
  const model = await connect(url);
  const channel = await model.createChannel();
  const { work, isolation } = queuesOf(service);
  await channel.assertQueue(work, {
    arguments: {
      'x-queue-type': 'quorum',
      'x-delivery-limit': 3,
      'x-dead-letter-exchange': '',
      'x-dead-letter-routing-key': isolation,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
  });
  await channel.assertQueue(replies, { arguments: { 'x-queue-type': 'quorum', 'x-expires': 604_800_000 } });
  await model.close();
}

/** Deletes queues, so that the next round does not get their messages. */
async function deleteQueues(url: string, ...queues: readonly string[]): Promise<void> {
  const model = await connect(url);
  const channel = await model.createChannel();
  for (const queue of queues) await channel.deleteQueue(queue);
  await model.close();
}
