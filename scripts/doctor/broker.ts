import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, connect, type SocketOptions } from 'amqplib';
import { services } from '../../gateway/services.ts';
import { queueArguments, queuesOf } from '../../runtime/amqp/topology.ts';
import { tlsOfUrl } from '../../runtime/amqp/url-tls.ts';
import { isLoopback } from '../../runtime/env.ts';
import { within } from '../../runtime/timeout.ts';
import type { TlsMaterial } from '../../runtime/tls.ts';
import { rabbitAdvice } from '../rabbit-install.mjs';
import { type Finding, fine, note, told, wrong } from './finding.ts';

const connectMs = 5_000;
const answerMs = 5_000;
const closeMs = 1_000;

/**
 * RabbitMQ: whether it lets us in, takes messages, and has our queues as we need them. Nothing is declared that is not
 * there, and no message is taken. `wanted` says that RABBITMQ_URL is set, and not only by default.
 */
export async function checkBroker(url: string | undefined, wanted: boolean): Promise<readonly Finding[]> {
  if (url === undefined)
    return [note('RabbitMQ: RABBITMQ_URL is empty, so none is used; the ledger keeps the requests')];
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
    // Over another one: under an alarm, nothing more is read from a connection that has published.
    return [...found, await overConnection(url, checkAlarms)];
  } catch (error) {
    return [refusal(error, { host, hostname, username, wanted })];
  }
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < 3 || (major === 3 && minor < 10);
}

/** Uses a connection, which ends with that, whether the broker agrees or not. */
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

/** Publishes into a queue of its own, which goes with the connection. */
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
    // A name that a user who may only use our own queues may declare too.
    const name = `archivero.doctor.${randomUUID()}`;
    const { queue } = await channel.assertQueue(name, { exclusive: true, autoDelete: true });
    channel.sendToQueue(queue, Buffer.from('doctor'));
    await channel.waitForConfirms();
    return true;
  };
  if (await within(answerMs, Promise.race([publish(), blocked]))) return fine('RabbitMQ takes messages');
  return wrong(
    `RabbitMQ takes no messages: ${reason}`,
    'rabbitmq-diagnostics alarms says which alarm it is. Memory: let consumers catch up, or raise vm_memory_high_watermark. Disk: free some, or lower disk_free_limit.',
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
  const text = told(error);
  if (/ACCESS.REFUSED|403/.test(text) && ['', 'guest'].includes(username) && !isLoopback(hostname)) {
    return wrong(
      `RabbitMQ at ${host} does not let the user guest in: it may only come from the broker's own machine`,
      'rabbitmqctl add_user archivero PASSWORD && rabbitmqctl set_permissions archivero ".*" ".*" ".*", and put it into RABBITMQ_URL.',
    );
  }
  if (/ACCESS.REFUSED|403/.test(text)) {
    return wrong(
      `RabbitMQ at ${host} does not let the user ${username} in: ${text}`,
      'Correct user and password in RABBITMQ_URL, or: rabbitmqctl change_password, rabbitmqctl set_permissions.',
    );
  }
  const down = `RabbitMQ does not answer at ${host}: ${text}`;
  if (!wanted) return note(`${down}; the ledger keeps the requests`, `npm run broker, or: ${rabbitAdvice}`);
  return wrong(down, 'Start it, correct RABBITMQ_URL, or leave that empty to do without.');
}

async function checkQueue(
  model: ChannelModel,
  service: string,
  queue: string,
  wantedArguments: Record<string, unknown>,
): Promise<Finding[]> {
  const state = await onChannel(model, (channel) => channel.checkQueue(queue)).catch(() => undefined);
  if (state === undefined) return [note(`${queue} is not there yet: whoever starts first declares it`)];
  const { messageCount, consumerCount } = state;
  try {
    // What is there as we want it stays as it is.
    await onChannel(model, (channel) =>
      channel.assertQueue(queue, { durable: true, arguments: wantedArguments }),
    );
  } catch (error) {
    return [
      wrong(
        `${queue} has other arguments than Archivero needs: ${told(error)}`,
        `Stop what declares it so, then: rabbitmqctl delete_queue ${queue}. What was in it is published again.`,
      ),
    ];
  }
  if (messageCount === 0 && !(await hasLeader(model, queue))) {
    return [
      wrong(
        `${queue} has no leader: it takes nothing and gives nothing`,
        `Restart the gateway, which replaces it; or: rabbitmqctl delete_queue ${queue}. What was in it is published again.`,
      ),
    ];
  }
  const waiting = `${queue}: ${messageCount} messages ready, ${consumerCount} consumers`;
  // Without a service only its work queue is worth a word when it is empty.
  if (consumerCount > 0 || (messageCount === 0 && queue !== queuesOf(service).work)) return [fine(waiting)];
  const todo = `npm run ${service}, with the RABBITMQ_URL of the gateway.`;
  return [messageCount > 0 ? wrong(`${waiting}: nobody takes them`, todo) : note(waiting, todo)];
}

/** Only a queue that has a leader says that it is empty. */
function hasLeader(model: ChannelModel, queue: string): Promise<boolean> {
  return onChannel(model, async (channel) => {
    const message = await channel.get(queue);
    if (message !== false) channel.nack(message);
    return true;
  }).catch(() => false);
}

/** Rejects when the broker does not answer in time, or refuses. */
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
