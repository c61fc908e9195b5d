import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, connect, type SocketOptions } from 'amqplib';
import { services } from '../../gateway/services.ts';
import { queueArguments, queuesOf } from '../../runtime/amqp/topology.ts';
import { tlsOfUrl } from '../../runtime/amqp/url-tls.ts';
import { isLoopback } from '../../runtime/env.ts';
import { within } from '../../runtime/timeout.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { rabbitAdvice } from '../rabbit-install.mjs';
import { type Finding, fine, messageOf, note, wrong } from './finding.ts';

const connectMs = 5_000;
const answerMs = 5_000;
const closeMs = 1_000;

/**
 * Checks RabbitMQ: access, publishing, and the arguments of our queues. It declares no missing queue and consumes no
 * message. `wanted` means that RABBITMQ_URL is set explicitly.
 */
export async function checkBroker(url: string | undefined, wanted: boolean): Promise<readonly Finding[]> {
  if (url === undefined)
    return [note('RabbitMQ: RABBITMQ_URL is empty, no broker is used; the ledger keeps the requests')];
  const { host, hostname, username } = new URL(url);
  try {
    const found = await overConnection(url, async (model) => {
      const { version = '?' } = model.connection.serverProperties as { version?: string };
      return [
        fine(`RabbitMQ ${version} answers at ${host} to the user ${username || 'guest'}`),
        ...(isOld(version)
          ? [
              wrong(
                `RabbitMQ ${version} is too old for quorum queues with a delivery limit`,
                'Use 3.10 or newer.',
              ),
            ]
          : []),
        ...(await checkQueues(model)),
      ];
    });
    // On a second connection: under an alarm, the broker stops reading from a connection that has published.
    return [...found, await overConnection(url, checkAlarms)];
  } catch (error) {
    return [refusal(error, { host, hostname, username, wanted })];
  }
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < 3 || (major === 3 && minor < 10);
}

/** Runs `use` with a connection, and closes it even when the broker does not answer. */
async function overConnection<Result>(
  url: string,
  use: (model: ChannelModel) => Promise<Result>,
): Promise<Result> {
  const ending = new AbortController();
  const socket: SocketOptions & TlsMaterial & { signal: AbortSignal } = {
    timeout: connectMs,
    signal: ending.signal,
    ...tlsOfUrl(url),
  };
  const model = await connect(url, socket);
  model.on('error', () => undefined);
  try {
    return await use(model);
  } finally {
    await within(closeMs, model.close()).catch(() => undefined);
    ending.abort();
  }
}

/** Publishes to a temporary queue, which ends with the connection. */
async function checkAlarms(model: ChannelModel): Promise<Finding> {
  let reason = `no confirm in ${answerMs} ms`;
  const blocked = new Promise<false>((resolve) => {
    model.once('blocked', (why) => {
      reason = String(why);
      resolve(false);
    });
  });
  const publish = async (): Promise<true> => {
    const channel = await model.createConfirmChannel();
    channel.on('error', () => undefined);
    // The name matches permissions that are limited to Archivero's queues.
    const name = `archivero.doctor.${randomUUID()}`;
    const { queue } = await channel.assertQueue(name, { exclusive: true, autoDelete: true });
    channel.sendToQueue(queue, Buffer.from('doctor'));
    await channel.waitForConfirms();
    return true;
  };
  if (await within(answerMs, Promise.race([publish(), blocked]))) return fine('RabbitMQ accepts messages');
  return wrong(
    `RabbitMQ accepts no messages: ${reason}`,
    'rabbitmq-diagnostics alarms names the alarm. Memory: let consumers catch up, or raise vm_memory_high_watermark. Disk: free space, or lower disk_free_limit.',
  );
}

async function checkQueues(model: ChannelModel): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const { name } of services) {
    for (const [queue, wantedArguments] of queueArguments(name)) {
      found.push(...(await checkQueue(model, name, queue, wantedArguments)));
    }
  }
  return found;
}

function refusal(
  error: unknown,
  { host, hostname, username, wanted }: { host: string; hostname: string; username: string; wanted: boolean },
): Finding {
  const text = messageOf(error);
  if (/ACCESS.REFUSED|403/.test(text) && ['', 'guest'].includes(username) && !isLoopback(hostname)) {
    return wrong(
      `RabbitMQ at ${host} does not let the user guest in: guest may only connect from the broker's own machine`,
      'rabbitmqctl add_user archivero PASSWORD && rabbitmqctl set_permissions archivero ".*" ".*" ".*", then put that user into RABBITMQ_URL.',
    );
  }
  if (/ACCESS.REFUSED|403/.test(text)) {
    return wrong(
      `RabbitMQ at ${host} does not let the user ${username} in: ${text}`,
      'Correct user and password in RABBITMQ_URL, or use rabbitmqctl change_password and set_permissions.',
    );
  }
  const down = `RabbitMQ does not answer at ${host}: ${text}`;
  if (!wanted) return note(`${down}; the ledger keeps the requests`, `npm run broker, or: ${rabbitAdvice}`);
  return wrong(down, 'Start RabbitMQ, correct RABBITMQ_URL, or set it empty to run without a broker.');
}

async function checkQueue(
  model: ChannelModel,
  service: string,
  queue: string,
  wantedArguments: Record<string, unknown>,
): Promise<Finding[]> {
  const state = await onChannel(model, (channel) => channel.checkQueue(queue)).catch(() => undefined);
  if (state === undefined)
    return [note(`${queue} does not exist yet; the first process to start declares it`)];
  const { messageCount, consumerCount } = state;
  try {
    // Declaring an existing queue with equal arguments changes nothing.
    await onChannel(model, (channel) =>
      channel.assertQueue(queue, { durable: true, arguments: wantedArguments }),
    );
  } catch (error) {
    return [
      wrong(
        `${queue} has other arguments than Archivero needs: ${messageOf(error)}`,
        `Stop the program that declares it, then: rabbitmqctl delete_queue ${queue}. Its messages are published again.`,
      ),
    ];
  }
  if (messageCount === 0 && !(await hasLeader(model, queue))) {
    return [
      wrong(
        `${queue} has no leader: it neither accepts nor delivers messages`,
        `Restart the gateway, which replaces the queue; or: rabbitmqctl delete_queue ${queue}. Its messages are published again.`,
      ),
    ];
  }
  const waiting = `${queue}: ${messageCount} messages ready, ${consumerCount} consumers`;
  // Without a running service, an empty isolation or quarantine queue needs no note.
  if (consumerCount > 0 || (messageCount === 0 && queue !== queuesOf(service).work)) return [fine(waiting)];
  const todo = `npm run ${service}, with the gateway's RABBITMQ_URL.`;
  return [messageCount > 0 ? wrong(`${waiting}: no service consumes them`, todo) : note(waiting, todo)];
}

/** Returns whether the queue has a leader: without one, `get` fails even on an empty queue. */
function hasLeader(model: ChannelModel, queue: string): Promise<boolean> {
  return onChannel(model, async (channel) => {
    const message = await channel.get(queue);
    if (message !== false) channel.nack(message);
    return true;
  }).catch(() => false);
}

/** Runs `use` on a channel of its own. Rejects when the broker refuses or does not answer in time. */
async function onChannel<Result>(
  model: ChannelModel,
  use: (channel: Channel) => Promise<Result>,
): Promise<Result> {
  const work = async (): Promise<{ result: Result }> => {
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    const result = await use(channel);
    await channel.close();
    return { result };
  };
  const done = await within(answerMs, work());
  if (done === undefined) throw new Error(`no answer in ${answerMs} ms`);
  return done.result;
}
