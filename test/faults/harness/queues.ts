import { setTimeout as delay } from 'node:timers/promises';
import { programOf } from './wiring.ts';
import type { World } from './world.ts';

const patienceMs = 45_000;
const quietMs = 5_000;

/**
 * Stops everything, services first, and says what is left in the queues: nothing, if all is well. With its consumers
 * gone a queue shows what they held and never acknowledged. A broker that has just come back may need a while, so
 * everything is started again for another try until it has had that.
 */
export async function stopWithEmptyQueues(world: World): Promise<string> {
  const running = world.running;
  const until = Date.now() + patienceMs;
  for (;;) {
    await untilEmpty(world, Math.min(until, Date.now() + quietMs));
    const services = world.running.filter((name) => programOf(name) !== 'gateway');
    await Promise.all(services.map((name) => world.stop(name)));
    const inWork = await left(world, (queue) => !queue.startsWith('archivero.respuestas.'));
    // What the services have just answered is taken in by the gateway.
    if (inWork === '') await untilEmpty(world, Date.now() + quietMs);
    await Promise.all(world.running.map((name) => world.stop(name)));
    const anywhere = await left(world);
    if (anywhere === '' || Date.now() > until) return anywhere;
    await Promise.all(running.map((name) => world.start(name)));
    await delay(quietMs);
  }
}

/** Waits until no queue shows anything that is not with a consumer, or until then. */
async function untilEmpty(world: World, until: number): Promise<void> {
  while ((await left(world)) !== '' && Date.now() < until) await delay(100);
}

async function left({ broker }: World, counts: (queue: string) => boolean = () => true): Promise<string> {
  const ready = await broker.ready();
  return [...ready]
    .filter(([queue, messages]) => messages > 0 && counts(queue))
    .map(([queue, messages]) => `${queue} ${messages}`)
    .join(', ');
}
