import { expect } from 'chai';
import { createPublisher, PublishError, type Publisher } from '../../../runtime/amqp/publisher.ts';
import { silent, uniqueName } from '../../support/clients/amqp-requester.ts';
import { until } from '../../support/processes/eventually.ts';
import { type Rabbit, sharedRabbit } from '../../support/servers/rabbitmq.ts';

const content = Buffer.from('{}');

async function failure(publishing: Promise<void>): Promise<string> {
  return publishing.then(
    () => 'none',
    (error: unknown) => (error instanceof PublishError ? error.kind : String(error)),
  );
}

describe('A publisher', () => {
  let rabbit: Rabbit;
  let publisher: Publisher;
  let queue: string;

  beforeEach(async () => {
    rabbit = await sharedRabbit();
    queue = uniqueName();
    publisher = createPublisher({
      url: rabbit.url,
      name: 'archivero test publisher',
      log: silent,
      maxInFlight: 3,
      async declare(session) {
        const channel = await session.openChannel();
        await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
        await channel.assertQueue(`${queue}.lleno`, { maxLength: 1, overflow: 'reject-publish' });
      },
    });
  });

  afterEach(() => publisher.stop());

  const start = async (): Promise<void> => {
    publisher.start();
    await until(publisher, () => publisher.usable);
  };
  const publishTo = (routingKey: string, properties = {}) =>
    publisher.publish({ exchange: '', routingKey, content, properties });

  it('resolves when the broker confirms the message', async () => {
    await start();
    await publishTo(queue);
    expect(await publisher.inspect(queue)).to.deep.equal({ ready: 1, consumers: 0 });
  });

  it('rejects a message that no queue takes as returned', async () => {
    await start();
    expect(await failure(publishTo(uniqueName()))).to.equal('returned');
    expect(await failure(publishTo(queue))).to.equal('none');
  });

  it('matches each result to its message when ids repeat', async () => {
    await start();
    const same = { messageId: 'a' };
    const both = [publishTo(queue, same), publishTo(uniqueName(), same), publishTo(queue, same)];
    expect(await Promise.all(both.map(failure))).to.deep.equal(['none', 'returned', 'none']);
  });

  it('rejects a message that the broker refuses as nacked', async () => {
    await start();
    await publishTo(`${queue}.lleno`);
    expect(await failure(publishTo(`${queue}.lleno`))).to.equal('nacked');
  });

  it('rejects messages beyond maxInFlight, and publishes again after the confirms', async () => {
    await start();
    const four = await Promise.all([1, 2, 3, 4].map(() => failure(publishTo(queue))));
    expect(four).to.deep.equal(['none', 'none', 'none', 'too-many']);
    expect(await failure(publishTo(queue))).to.equal('none');
    expect(await publisher.inspect(queue)).to.deep.equal({ ready: 4, consumers: 0 });
  });

  it('is unavailable before it connects and after it stops', async () => {
    expect(await failure(publishTo(queue))).to.equal('unavailable');
    await start();
    await publisher.stop();
    expect(publisher.usable).to.equal(false);
    expect(await failure(publishTo(queue))).to.equal('unavailable');
    expect(await publisher.inspect(queue).catch((error) => error.kind)).to.equal('unavailable');
  });

  it('rejects pending messages when it stops', async () => {
    await start();
    const pending = failure(publishTo(queue));
    const stopped = publisher.stop();
    expect(await pending).to.equal('unavailable');
    await stopped;
  });

  it('reports a deleted queue as undefined', async () => {
    await start();
    const model = await import('amqplib').then(({ connect }) => connect(rabbit.url));
    const channel = await model.createChannel();
    await channel.deleteQueue(queue);
    await model.close();
    const pending = publishTo(`${queue}.lleno`);
    expect(await publisher.inspect(queue)).to.equal(undefined);
    await pending;
    expect(publisher.usable).to.equal(true);
  });

  it('rejects with a RangeError when a message cannot be encoded, and goes on', async () => {
    await start();
    expect(await failure(publishTo(queue, { headers: { 'x-testigo': 'a'.repeat(70_000) } }))).to.contain(
      'RangeError',
    );
    expect(await failure(publishTo(queue))).to.equal('none');
  });
});
