import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment } from './deployment.ts';
import { programOf } from './wiring.ts';

const patienceMs = 45_000;
const quietMs = 5_000;

/**
 * Stops all processes, services first, and returns the messages left in the queues; empty if all is well. Without
 * consumers a queue also counts messages that they held unacknowledged. A broker just restarted may need some time, so
 * the processes are started again and the check is repeated for 45 s.
 */
export async function stopWithEmptyQueues(deployment: Deployment): Promise<string> {
  const running = deployment.running;
  const until = Date.now() + patienceMs;
  for (;;) {
    await untilEmpty(deployment, Math.min(until, Date.now() + quietMs));
    const services = deployment.running.filter((name) => programOf(name) !== 'gateway');
    await Promise.all(services.map((name) => deployment.stop(name)));
    const inWork = await left(deployment, (queue) => !queue.startsWith('archivero.respuestas.'));
    // The gateway consumes the last replies of the services.
    if (inWork === '') await untilEmpty(deployment, Date.now() + quietMs);
    await Promise.all(deployment.running.map((name) => deployment.stop(name)));
    const anywhere = await left(deployment);
    if (anywhere === '' || Date.now() > until) return anywhere;
    await Promise.all(running.map((name) => deployment.start(name)));
    await delay(quietMs);
  }
}

/** Waits until no queue has ready messages, at most until `until`. */
async function untilEmpty(deployment: Deployment, until: number): Promise<void> {
  while ((await left(deployment)) !== '' && Date.now() < until) await delay(100);
}

async function left(
  { broker }: Deployment,
  counts: (queue: string) => boolean = () => true,
): Promise<string> {
  const ready = await broker.depths();
  return [...ready]
    .filter(([queue, messages]) => messages > 0 && counts(queue))
    .map(([queue, messages]) => `${queue} ${messages}`)
    .join(', ');
}
