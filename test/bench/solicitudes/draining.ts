import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect } from 'amqplib';
import { queuesOf } from '../../../runtime/amqp/topology.ts';
import { quiet } from '../gateway/load.ts';
import { type SetUp, startSetUp } from './set-up.ts';

export interface Draining {
  /** Per second, from the first reply to the last: published, consumed, replied, consumed. */
  readonly bare: number;
  /** Per second, from the first answer that was stored to the last. */
  readonly ours: number;
  /** From the kill of the service to the first 202. */
  readonly firstAcceptedMs: number;
  /** From the opening of the service's port to the first answer that was a call's, the backlog draining. */
  readonly firstDirectMs: number;
}

/** How long a service lives before it is killed. */
const settleMs = 1_000;

/** A backlog is answered by a service that comes back, beside bare amqplib that does the same two hops. */
export async function measureDraining(rabbit: string, backlog: number): Promise<Draining> {
  const bare = await ofAmqplib(rabbit, backlog);
  await quiet();
  const it = await startSetUp(rabbit);
  try {
    const firstAcceptedMs = await killed(it);
    await it.fill(backlog);
    await it.untilQueued(backlog);
    await quiet();
    const since = Date.now();
    await it.startService();
    const firstDirectMs = await untilAnswered(it, 'grpc');
    return { bare, ours: await it.untilClosed(since, backlog), firstAcceptedMs, firstDirectMs };
  } finally {
    await it.stop();
    await forget(rabbit, queuesOf('mserv1').work);
  }
}

/** Asks all the time while the service is killed. Milliseconds from the kill to the first 202. */
async function killed(it: SetUp): Promise<number> {
  const service = await it.startService();
  await untilAnswered(it, 'grpc');
  await delay(settleMs);
  process.kill(service.pid, 'SIGKILL');
  return untilAnswered(it, 'cola');
}

/** Milliseconds until an answer, to whoever asks one after the other, was made in this way. */
async function untilAnswered(it: SetUp, servedBy: 'grpc' | 'cola'): Promise<number> {
  const begun = performance.now();
  for (;;) {
    // Never the same: what is in a cache is no call.
    const answer = await it.client.ask(
      `/listar_archivos?limite=9999&recursivo=true&profundidad=${1 + (asked++ % 1000)}`,
    );
    if (answer.servedBy === servedBy) return performance.now() - begun;
    await delay(1);
  }
}
let asked = 0;

async function ofAmqplib(url: string, count: number): Promise<number> {
  const service = 'medida';
  const replies = 'archivero.respuestas.medida.v1';
  await declare(url, service, replies);
  const script = fileURLToPath(new URL('two-hops.ts', import.meta.url));
  const start = async (role: string): Promise<ChildProcess> => {
    const child = fork(script, [role, url, service, replies]);
    await once(child, 'message');
    return child;
  };
  const [asker, worker] = [await start('asker'), await start('worker')];
  try {
    asker.send(count);
    await once(asker, 'message');
    await quiet();
    worker.send('go');
    const [{ answeredMs }] = (await once(asker, 'message')) as [{ answeredMs: number }];
    return count / (answeredMs / 1000);
  } finally {
    for (const child of [asker, worker]) {
      const ended = once(child, 'exit');
      child.kill();
      await ended;
    }
    await forget(url, queuesOf(service).work, replies);
  }
}

/** With the arguments of the house's own queues. */
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

/** What was left in the queues would be work of the next round. */
async function forget(url: string, ...queues: readonly string[]): Promise<void> {
  const model = await connect(url);
  const channel = await model.createChannel();
  for (const queue of queues) await channel.deleteQueue(queue);
  await model.close();
}
