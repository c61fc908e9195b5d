import { expect } from 'chai';
import { createPublisher, type Publisher } from '../../../runtime/amqp/publisher.ts';
import type { Session } from '../../../runtime/amqp/session.ts';
import { createSubscriber, type Delivery, type Subscriber } from '../../../runtime/amqp/subscriber.ts';
import { silent, uniqueName } from '../../support/clients/amqp-requester.ts';
import { eventually, until } from '../../support/processes/eventually.ts';
import { sharedRabbit } from '../../support/servers/rabbitmq.ts';

describe('A subscriber', () => {
  let queue: string;
  let publisher: Publisher;
  let subscriber: Subscriber;
  let deliveries: Delivery[];

  const declare = async (session: Session): Promise<void> => {
    const channel = await session.openChannel();
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  };
  const send = (text: string): Promise<void> =>
    publisher.publish({ exchange: '', routingKey: queue, content: Buffer.from(text), properties: {} });
  const texts = (): string[] => deliveries.map(({ content }) => content.toString());

  async function start(onDelivery: (delivery: Delivery) => void, prefetch = 2): Promise<void> {
    const { url } = await sharedRabbit();
    publisher = createPublisher({ url, name: 'archivero test publisher', log: silent, declare });
    subscriber = createSubscriber({
      url,
      name: 'archivero test subscriber',
      log: silent,
      declare,
      queues: [
        {
          name: queue,
          prefetch,
          onDelivery(delivery) {
            deliveries.push(delivery);
            onDelivery(delivery);
          },
        },
      ],
    });
    publisher.start();
    subscriber.start();
    await until(publisher, () => publisher.usable);
    await until(subscriber, () => subscriber.state.kind === 'ready');
  }

  beforeEach(() => {
    queue = uniqueName();
    deliveries = [];
  });

  afterEach(async () => {
    await subscriber.stop(0);
    await publisher.stop();
  });

  it('holds no more messages than its prefetch', async () => {
    await start(() => {});
    await Promise.all(['a', 'b', 'c'].map(send));
    await eventually(async () => (await publisher.inspect(queue))?.ready === 1);
    expect(texts()).to.deep.equal(['a', 'b']);
    deliveries[0]?.ack();
    expect(deliveries.map(({ held }) => held)).to.deep.equal([false, true]);
    await eventually(() => deliveries.length === 3);
  });

  it('consumes nothing while it is paused', async () => {
    await start((delivery) => delivery.ack());
    subscriber.pause(queue);
    await eventually(async () => (await publisher.inspect(queue))?.consumers === 0);
    await send('a');
    expect((await publisher.inspect(queue))?.ready).to.equal(1);
    subscriber.resume(queue);
    await eventually(() => deliveries.length === 1);
  });

  it('ends in the last requested state after 50 pauses and resumes', async () => {
    await start((delivery) => delivery.ack());
    for (let n = 0; n < 50; n += 1) {
      subscriber.pause(queue);
      subscriber.resume(queue);
      if (n % 7 === 0) await publisher.inspect(queue);
    }
    await send('a');
    await eventually(() => deliveries.length === 1);
    expect((await publisher.inspect(queue))?.consumers).to.equal(1);
  });

  it('requeues a message whose handler throws, with a delivery count', async () => {
    await start((delivery) => {
      if (deliveries.length < 3) throw new Error('bug');
      delivery.ack();
    });
    await send('a');
    await eventually(() => deliveries.length === 3);
    expect(deliveries.map(({ deliveryCount }) => deliveryCount)).to.deep.equal([0, 1, 2]);
    expect(deliveries.map(({ redelivered }) => redelivered)).to.deep.equal([false, true, true]);
    // This delivery is held no longer: its ack must not acknowledge a later delivery with its number.
    expect(deliveries[0]?.held).to.equal(false);
    deliveries[0]?.ack();
  });

  it('declares its queue again after the queue was deleted', async () => {
    await start((delivery) => delivery.ack());
    const { url } = await sharedRabbit();
    const model = await import('amqplib').then(({ connect }) => connect(url));
    const channel = await model.createChannel();
    await channel.deleteQueue(queue);
    await model.close();
    await until(subscriber, () => subscriber.state.kind === 'connecting');
    await until(subscriber, () => subscriber.state.kind === 'ready');
    await send('a');
    await eventually(() => deliveries.length === 1);
  });

  it('waits for its held messages when it stops, and consumes no others', async () => {
    await start(() => {});
    await Promise.all(['a', 'b', 'c'].map(send));
    await eventually(() => deliveries.length === 2);
    const stopped = subscriber.stop(60_000);
    for (const delivery of deliveries) delivery.ack();
    await stopped;
    expect(texts()).to.deep.equal(['a', 'b']);
    expect((await publisher.inspect(queue))?.ready).to.equal(1);
  });

  it('requeues its held messages when its grace period is over', async () => {
    await start(() => {});
    await send('a');
    await eventually(() => deliveries.length === 1);
    await subscriber.stop(0);
    expect(deliveries[0]?.held).to.equal(false);
    await eventually(async () => (await publisher.inspect(queue))?.ready === 1);
  });
});
