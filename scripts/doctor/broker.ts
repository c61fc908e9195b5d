import { randomUUID } from 'node:crypto';
import type { Channel, ChannelModel } from 'amqplib';
import { services } from '../../gateway/services.ts';
import { connectTo } from '../../runtime/amqp/connect.ts';
import { brokerReason } from '../../runtime/amqp/refusal.ts';
import {
  queueArguments,
  queuesOf,
  repliesArguments,
  repliesQueue,
  requestsExchange,
} from '../../runtime/amqp/topology.ts';
import { isLoopback } from '../../runtime/env.ts';
import { within } from '../../runtime/timeout.ts';
import { urlParts } from '../../runtime/url-parts.ts';
import { rabbitAdvice } from '../rabbit-install.mjs';
import { type Finding, fine, note, wrong } from './finding.ts';

const connectMs = 5_000;
const answerMs = 5_000;
const closeMs = 1_000;

export interface BrokerExpectations {
  /** Whether RABBITMQ_URL is set explicitly. */
  readonly wanted: boolean;
  /** The id of the ledger, if it is known: its reply queue is checked. */
  readonly ledgerId: string | undefined;
}

/**
 * Checks RabbitMQ: access, publishing, and how our exchange and queues were made. It declares no missing queue and consumes no
 * message.
 */
export async function checkBroker(
  url: string | undefined,
  { wanted, ledgerId }: BrokerExpectations,
): Promise<readonly Finding[]> {
  if (url === undefined)
    return [note('RabbitMQ: RABBITMQ_URL is empty, no broker is used; the ledger keeps the requests')];
  const { host, hostname } = new URL(url);
  const { user, path } = urlParts(url);
  const found: Finding[] = [];
  try {
    found.push(
      ...(await overConnection(url, (model) =>
        checkSetUp(model, `${host} to the user ${user || 'guest'}`, ledgerId),
      )),
    );
    // On a second connection: under an alarm, the broker stops reading from a connection that has published.
    found.push(await overConnection(url, checkAlarms));
  } catch (error) {
    const access = { host, hostname, user: user || 'guest', vhost: path || '/', wanted };
    found.push(refusal(brokerReason(error), access));
  }
  return found;
}

async function checkSetUp(
  model: ChannelModel,
  answersAt: string,
  ledgerId: string | undefined,
): Promise<readonly Finding[]> {
  const { version = '?' } = model.connection.serverProperties as { version?: string };
  const old = `RabbitMQ ${version} is too old for quorum queues with a delivery limit`;
  return [
    fine(`RabbitMQ ${version} answers at ${answersAt}`),
    ...(isOld(version) ? [wrong(old, 'Use 3.10 or newer.')] : []),
    ...(await checkExchange(model)),
    ...(await checkQueues(model)),
    ...(ledgerId === undefined
      ? []
      : await checkQueue(model, 'gateway', repliesQueue(ledgerId), repliesArguments)),
  ];
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
  const connecting = connectTo(url, { signal: ending.signal });
  connecting.catch(() => undefined);
  const model = await within(connectMs, connecting);
  if (model === undefined) {
    ending.abort();
    throw new Error(`no answer in ${connectMs} ms`);
  }
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

interface Access {
  readonly host: string;
  readonly hostname: string;
  readonly user: string;
  readonly vhost: string;
  readonly wanted: boolean;
}

/** Explains why there is no connection, or why one cannot be used. */
function refusal(reason: string, { host, hostname, user, vhost, wanted }: Access): Finding {
  const refused = `RabbitMQ at ${host} does not let the user ${user} in`;
  const allow = `rabbitmqctl set_permissions -p ${vhost} ${user} ".*" ".*" ".*"`;
  if (reason.startsWith('NOT_ALLOWED'))
    return wrong(`${refused}: ${reason}`, adviceFor(reason, vhost, allow));
  if (/access to (?:queue|exchange|topic) /.test(reason))
    return wrong(`The user ${user} has too few permissions in RabbitMQ at ${host}: ${reason}`, `${allow}.`);
  if (reason.startsWith('ACCESS_REFUSED') && user === 'guest' && !isLoopback(hostname)) {
    return wrong(
      `${refused}: guest may only connect from the broker's own machine`,
      'rabbitmqctl add_user archivero PASSWORD && rabbitmqctl set_permissions archivero ".*" ".*" ".*", then put that user into RABBITMQ_URL.',
    );
  }
  if (reason.startsWith('ACCESS_REFUSED')) {
    return wrong(
      `${refused}: ${reason}`,
      'Correct user and password in RABBITMQ_URL, or use rabbitmqctl change_password and set_permissions.',
    );
  }
  if (/certificate|altnames/i.test(reason)) {
    return wrong(
      `The certificate of RabbitMQ at ${host} is not trusted: ${reason}`,
      'Name its authority with cacertfile in RABBITMQ_URL (.env.example), and the broker by a name of its certificate.',
    );
  }
  const down = `RabbitMQ does not answer at ${host}: ${reason}`;
  if (!wanted) return note(`${down}; the ledger keeps the requests`, `npm run broker, or: ${rabbitAdvice}`);
  return wrong(
    down,
    'Start RabbitMQ, correct RABBITMQ_URL (amqps:// where the port expects TLS), or set it empty to run without a broker.',
  );
}

/** How to mend a NOT_ALLOWED, RabbitMQ's refusal of a user whose password is right. */
function adviceFor(reason: string, vhost: string, allow: string): string {
  if (reason.includes('limit'))
    return 'Raise the limit (rabbitmqctl set_vhost_limits, set_user_limits), or close other connections. A gateway opens up to 3 connections, a service 2.';
  if (reason.includes('not found'))
    return `rabbitmqctl add_vhost ${vhost} && ${allow}, or correct the virtual host in RABBITMQ_URL.`;
  return `${allow}, or correct the virtual host in RABBITMQ_URL.`;
}

/** Checks how the exchange of the requests was made; it may not exist yet. */
async function checkExchange(model: ChannelModel): Promise<Finding[]> {
  const reasonAgainst = (use: (channel: Channel) => Promise<unknown>) =>
    onChannel(model, use).then(() => undefined, brokerReason);
  const missing = await reasonAgainst((channel) => channel.checkExchange(requestsExchange));
  if (missing?.startsWith('NOT_FOUND'))
    return [note(`${requestsExchange} does not exist yet; the first process to start declares it`)];
  // Declaring an existing exchange of the same kind changes nothing.
  const declare = (channel: Channel) => channel.assertExchange(requestsExchange, 'direct', { durable: true });
  const reason = missing ?? (await reasonAgainst(declare));
  if (reason === undefined) return [fine(`${requestsExchange} is a durable direct exchange`)];
  return [
    wrong(
      `${requestsExchange} cannot be used: ${reason}`,
      reason.startsWith('PRECONDITION_FAILED')
        ? `Stop the program that declares it, then delete it in the management UI, or: rabbitmqadmin delete exchange name=${requestsExchange}. The gateway declares it again within half a minute.`
        : permissionAdvice,
    ),
  ];
}

const permissionAdvice =
  'Give the user configure, write and read permissions: rabbitmqctl set_permissions (docs/operations.md, Two machines).';

/** @param consumer the process that consumes the queue */
async function checkQueue(
  model: ChannelModel,
  consumer: string,
  queue: string,
  wantedArguments: Record<string, unknown>,
): Promise<Finding[]> {
  const state = await onChannel(model, (channel) => channel.checkQueue(queue)).catch(brokerReason);
  if (typeof state === 'string') {
    return state.startsWith('NOT_FOUND')
      ? [note(`${queue} does not exist yet; the first process to start declares it`)]
      : [wrong(`${queue} cannot be used: ${state}`, permissionAdvice)];
  }
  const { messageCount, consumerCount } = state;
  try {
    // Declaring an existing queue with equal arguments changes nothing.
    await onChannel(model, (channel) =>
      channel.assertQueue(queue, { durable: true, arguments: wantedArguments }),
    );
  } catch (error) {
    const reason = brokerReason(error);
    if (!reason.startsWith('PRECONDITION_FAILED'))
      return [wrong(`${queue} cannot be used: ${reason}`, permissionAdvice)];
    return [
      wrong(
        `${queue} has other arguments than Archivero needs: ${reason}`,
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
  if (consumerCount > 0 || (messageCount === 0 && queue !== queuesOf(consumer).work)) return [fine(waiting)];
  const todo = `npm run ${consumer}, with the gateway's RABBITMQ_URL.`;
  return [messageCount > 0 ? wrong(`${waiting}: nothing consumes them`, todo) : note(waiting, todo)];
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
