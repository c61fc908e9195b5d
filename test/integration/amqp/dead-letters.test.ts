import { connect } from 'amqplib';
import { expect } from 'chai';
import { queuesOf } from '../../../runtime/amqp/topology.ts';
import { createWorkConsumer, type WorkConsumer } from '../../../runtime/amqp/work-consumer.ts';
import type { WorkResult } from '../../../runtime/amqp/work-message.ts';
import { type Requester, silent, startRequester, uniqueName } from '../../support/clients/amqp-requester.ts';
import { eventually } from '../../support/processes/eventually.ts';
import { type Rabbit, sharedRabbit } from '../../support/servers/rabbitmq.ts';
import { ecoMethods } from '../../support/services/eco-service.ts';

describe('A request that was dead-lettered', () => {
  let rabbit: Rabbit;
  let service: string;
  let requester: Requester;
  let consumer: WorkConsumer | undefined;
  let runs: number;

  beforeEach(async () => {
    rabbit = await sharedRabbit();
    service = uniqueName();
    runs = 0;
    requester = await startRequester(rabbit.url, service);
  });

  // Not every test sets a policy.
  afterEach(async () => {
    await rabbit.ctl('clear_policy', service).catch(() => undefined);
    await consumer?.stop(0);
    await requester.stop();
  });

  const answer: WorkResult = { kind: 'answer', response: '"a"' };
  const poison: WorkResult = { kind: 'poison' };
  const ready = async (queue: string): Promise<number | undefined> =>
    (await requester.publisher.inspect(queue))?.ready;

  function startConsumer(): void {
    consumer = createWorkConsumer({
      url: rabbit.url,
      service,
      log: silent,
      methods: ecoMethods(async (request) => {
        runs += 1;
        return request;
      }),
    });
    consumer.start();
  }

  /** Sets a policy on some of the queues. */
  async function limit(definition: Record<string, number>, ...queues: readonly string[]): Promise<void> {
    const pattern = `^(${queues.join('|').replaceAll('.', '\\.')})$`;
    await rabbit.ctl('set_policy', service, pattern, JSON.stringify(definition));
  }

  /** Takes a message from a queue `times` times and refuses it. */
  async function refuse(queue: string, times: number, requeue: boolean): Promise<void> {
    const connection = await connect(rabbit.url);
    const channel = await connection.createChannel();
    for (let time = 0; time < times; ) {
      const message = await channel.get(queue);
      if (message === false) continue;
      channel.nack(message, false, requeue);
      time += 1;
    }
    await channel.close();
    await connection.close();
  }

  it('runs when it expired in the work queue, and then in the isolation queue', async () => {
    const { work, isolation, quarantine } = queuesOf(service);
    await limit({ 'message-ttl': 1 }, work, isolation);
    await requester.send('a', 'a');
    await eventually(async () => (await ready(quarantine)) === 1);
    startConsumer();
    expect(await requester.result('a')).to.deep.equal(answer);
    expect(runs).to.equal(1);
    await eventually(async () => (await ready(quarantine)) === 0);
  });

  it('runs when it expired in the work queue only', async () => {
    const { work, isolation } = queuesOf(service);
    await limit({ 'message-ttl': 1 }, work);
    await requester.send('a', 'a');
    await eventually(async () => (await ready(isolation)) === 1);
    startConsumer();
    expect(await requester.result('a')).to.deep.equal(answer);
  });

  it('runs in isolation when it expired there after it lost its workers in the work queue', async () => {
    const { work, isolation, quarantine } = queuesOf(service);
    await limit({ 'message-ttl': 1 }, isolation);
    await requester.send('a', 'a');
    await refuse(work, 4, true);
    await eventually(async () => (await ready(quarantine)) === 1);
    await rabbit.ctl('clear_policy', service);
    startConsumer();
    expect(await requester.result('a')).to.deep.equal(answer);
    expect(runs).to.equal(1);
  });

  it('is poison when a worker has refused it in both queues', async () => {
    const { work, isolation, quarantine } = queuesOf(service);
    await requester.send('a', 'a');
    await refuse(work, 1, false);
    await refuse(isolation, 1, false);
    await eventually(async () => (await ready(quarantine)) === 1);
    startConsumer();
    expect(await requester.result('a')).to.deep.equal(poison);
    expect(runs).to.equal(0);
  });

  it('runs in isolation when a worker has refused it once', async () => {
    const { work, isolation } = queuesOf(service);
    await requester.send('a', 'a');
    await refuse(work, 1, false);
    await eventually(async () => (await ready(isolation)) === 1);
    startConsumer();
    expect(await requester.result('a')).to.deep.equal(answer);
  });

  it('is poison when it lost its workers too often in both queues', async () => {
    const { work, isolation, quarantine } = queuesOf(service);
    await requester.send('a', 'a');
    await refuse(work, 4, true);
    await refuse(isolation, 3, true);
    await eventually(async () => (await ready(quarantine)) === 1);
    startConsumer();
    expect(await requester.result('a')).to.deep.equal(poison);
    expect(runs).to.equal(0);
  });
});
