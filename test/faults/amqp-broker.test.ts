import { expect } from 'chai';
import { createPublisher, PublishError, type Publisher } from '../../runtime/amqp/publisher.ts';
import { declareService, queuesOf, requestsExchange } from '../../runtime/amqp/topology.ts';
import { createWorkConsumer, type WorkConsumer } from '../../runtime/amqp/work-consumer.ts';
import { type Requester, silent, startRequester, uniqueName } from '../support/clients/amqp-requester.ts';
import { eventually, until } from '../support/processes/eventually.ts';
import { type Rabbit, startRabbit } from '../support/servers/rabbitmq.ts';
import { ecoMethods } from '../support/services/eco-service.ts';

describe('The publisher and the queue consumer when RabbitMQ fails', () => {
  let rabbit: Rabbit;
  const service = uniqueName();
  const ledger = uniqueName();
  let requester: Requester;
  let consumer: WorkConsumer;
  /** The handler waits for this promise. */
  let gate: Promise<unknown>;

  before(async () => {
    rabbit = await startRabbit();
  });

  after(() => rabbit.stop());

  beforeEach(async () => {
    gate = Promise.resolve();
    requester = await startRequester(rabbit.url, service, ledger);
    consumer = createWorkConsumer({
      url: rabbit.url,
      service,
      log: silent,
      methods: ecoMethods(async (request) => {
        await gate;
        return request;
      }),
    });
    consumer.start();
  });

  afterEach(async () => {
    rabbit.resume();
    await consumer.stop(0);
    await requester.stop();
  });

  async function answered(ids: readonly string[]): Promise<void> {
    for (const id of ids)
      expect(await requester.result(id)).to.deep.equal({ kind: 'answer', response: `"${id}"` });
  }
  const back = (): Promise<void> => until(requester.publisher, () => requester.publisher.usable);
  const kindOf = (error: unknown): string => (error instanceof PublishError ? error.kind : String(error));

  async function publisherWith(more: {
    confirmTimeoutMs?: number;
    maxInFlight?: number;
  }): Promise<Publisher> {
    const publisher = createPublisher({
      url: rabbit.url,
      name: 'archivero test publisher',
      log: silent,
      declare: (session) => declareService(session, service),
      ...more,
    });
    publisher.start();
    await until(publisher, () => publisher.usable);
    return publisher;
  }
  const toWork = () => ({
    exchange: requestsExchange,
    routingKey: service,
    content: Buffer.from('{}'),
    properties: {},
  });

  it('fails publishes to a frozen broker as unconfirmed within the time-out, and refuses those beyond the bound', async () => {
    const publisher = await publisherWith({ confirmTimeoutMs: 2000, maxInFlight: 2 });
    rabbit.pause();
    const failures = await Promise.all([1, 2, 3].map(() => publisher.publish(toWork()).catch(kindOf)));
    expect(failures).to.deep.equal(['unconfirmed', 'unconfirmed', 'too-many']);
    // When unconfirmed messages fill the bound, the publisher reconnects.
    await until(publisher, () => publisher.state.kind === 'connecting');
    expect(await publisher.publish(toWork()).catch(kindOf)).to.equal('unavailable');
    expect(await publisher.inspect(queuesOf(service).work).catch(kindOf)).to.equal('unavailable');
    rabbit.resume();
    await until(publisher, () => publisher.usable);
    await publisher.publish(toWork());
    await publisher.stop();
  });

  it('publishes again when the confirms of a frozen broker arrive late', async () => {
    const publisher = await publisherWith({ confirmTimeoutMs: 2000, maxInFlight: 2 });
    rabbit.pause();
    expect(await publisher.publish(toWork()).catch(kindOf)).to.equal('unconfirmed');
    expect(await publisher.inspect(queuesOf(service).work).catch(kindOf)).to.equal('unavailable');
    rabbit.resume();
    await publisher.publish(toWork());
    for (let n = 0; n < 3; n += 1)
      await Promise.all([publisher.publish(toWork()), publisher.publish(toWork())]);
    await publisher.stop();
  });

  it('fails publishes as blocked during a memory alarm, holds replies back, and loses none', async () => {
    const working = Promise.withResolvers<void>();
    gate = working.promise;
    await requester.send('a', 'a');
    await eventually(async () => (await requester.publisher.inspect(queuesOf(service).work))?.ready === 0);
    await rabbit.ctl('set_vm_memory_high_watermark', '0.000001');
    try {
      // The broker reports the alarm to a connection only when that publishes.
      requester.send('b', 'b').catch(() => {});
      await until(requester.publisher, () => requester.publisher.state.kind === 'blocked');
      expect(requester.publisher.usable).to.equal(false);
      expect(await requester.send('c', 'c').catch(kindOf)).to.equal('blocked');
      working.resolve();
      await until(consumer, () => consumer.state.kind === 'blocked');
      expect(requester.replies('a')).to.equal(0);
    } finally {
      await rabbit.ctl('set_vm_memory_high_watermark', '0.4');
    }
    await back();
    await requester.send('d', 'd');
    await answered(['a', 'b', 'd']);
  });

  it('publishes to a full queue again on the same connection when its limit is lifted', async () => {
    await consumer.stop(0);
    const states: string[] = [];
    requester.publisher.subscribe(() => states.push(requester.publisher.state.kind));
    const send = (): Promise<unknown> => requester.send('a', 'a').catch(kindOf);
    await rabbit.ctl('set_policy', 'limite', `^${queuesOf(service).work}$`, '{"max-length":2}');
    await eventually(async () => (await send()) === 'nacked');
    await rabbit.ctl('clear_policy', 'limite');
    await eventually(async () => (await send()) === undefined);
    expect(states).to.deep.equal([]);
  });

  it('answers all requests after the broker closes every connection', async () => {
    const working = Promise.withResolvers<void>();
    gate = working.promise;
    await Promise.all(['a', 'b'].map((id) => requester.send(id, id)));
    await rabbit.ctl('close_all_connections', 'prueba');
    working.resolve();
    await back();
    await requester.send('c', 'c');
    await answered(['a', 'b', 'c']);
  });

  it('fails publishes while the broker is stopped in order, and answers all others after its start', async () => {
    await requester.send('a', 'a');
    await rabbit.ctl('stop_app');
    await until(requester.publisher, () => !requester.publisher.usable);
    expect(await requester.send('b', 'b').catch(kindOf)).to.equal('unavailable');
    await rabbit.ctl('start_app');
    await back();
    await requester.send('c', 'c');
    await answered(['a', 'c']);
  });

  it('answers confirmed requests after the broker is killed and restarted, and rejects a pending publish at once', async () => {
    const working = Promise.withResolvers<void>();
    gate = working.promise;
    const ids = Array.from({ length: 40 }, (_, n) => `n${n}`);
    await Promise.all(ids.map((id) => requester.send(id, id)));
    rabbit.pause();
    const pending = requester.send('pendiente', 1).catch(kindOf);
    await rabbit.kill();
    expect(await pending).to.equal('unavailable');
    working.resolve();
    await rabbit.restart();
    await back();
    await answered(ids);
  });

  it('publishes again when a broker is killed right after declaring a queue, which may lose its leader', async () => {
    const fresh = await startRequester(rabbit.url, uniqueName());
    await rabbit.kill();
    await rabbit.restart();
    await until(fresh.publisher, () => fresh.publisher.usable);
    await eventually(() =>
      fresh.send('a', 'a').then(
        () => true,
        () => false,
      ),
    );
    await fresh.stop();
  });

  it('declares its queues again on a broker whose data was deleted', async () => {
    await requester.send('a', 'a');
    await answered(['a']);
    await rabbit.wipe();
    await rabbit.restart();
    await back();
    await requester.send('b', 'b');
    await answered(['b']);
  });

  it('starts consuming when the broker starts after the service', async () => {
    await consumer.stop(0);
    await rabbit.kill();
    consumer = createWorkConsumer({
      url: rabbit.url,
      service,
      log: silent,
      methods: ecoMethods(async (request) => request),
    });
    consumer.start();
    await until(consumer, () => consumer.state.kind === 'connecting' && consumer.state.failure !== undefined);
    await rabbit.restart();
    await back();
    await requester.send('a', 'a');
    await answered(['a']);
  });

  it('stops the queue consumer while the broker is frozen', async () => {
    gate = new Promise(() => {});
    await requester.send('a', 'a');
    await until(consumer, () => consumer.state.kind === 'ready');
    rabbit.pause();
    await consumer.stop(100);
    expect(consumer.state.kind).to.equal('stopped');
  });
});
