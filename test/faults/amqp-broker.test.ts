import { expect } from 'chai';
import { createPublisher, PublishError, type Publisher } from '../../runtime/amqp/publisher.ts';
import { declareService, queuesOf, requestsExchange } from '../../runtime/amqp/topology.ts';
import { createWorkConsumer, type WorkConsumer } from '../../runtime/amqp/work-consumer.ts';
import { type Asker, silent, startAsker, uniqueName } from '../support/clients/amqp-asker.ts';
import { eventually, until } from '../support/processes/eventually.ts';
import { type Rabbit, startRabbit } from '../support/servers/rabbitmq.ts';
import { ecoMethods } from '../support/services/eco-service.ts';

describe('RabbitMQ that fails', () => {
  let rabbit: Rabbit;
  const service = uniqueName();
  const ledger = uniqueName();
  let asker: Asker;
  let consumer: WorkConsumer;
  /** What the handler waits for. */
  let gate: Promise<unknown>;

  before(async () => {
    rabbit = await startRabbit();
  });

  after(() => rabbit.stop());

  beforeEach(async () => {
    gate = Promise.resolve();
    asker = await startAsker(rabbit.url, service, ledger);
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
    await asker.stop();
  });

  async function answered(ids: readonly string[]): Promise<void> {
    for (const id of ids)
      expect(await asker.result(id)).to.deep.equal({ kind: 'answer', response: `"${id}"` });
  }
  const back = (): Promise<void> => until(asker.publisher, () => asker.publisher.usable);
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

  it('frozen: what is published is unconfirmed, in bounded memory and time', async () => {
    const publisher = await publisherWith({ confirmTimeoutMs: 2000, maxInFlight: 2 });
    rabbit.pause();
    const failures = await Promise.all([1, 2, 3].map(() => publisher.publish(toWork()).catch(kindOf)));
    expect(failures).to.deep.equal(['unconfirmed', 'unconfirmed', 'too-many']);
    // With every place taken by a message that was never confirmed, the connection is given up.
    await until(publisher, () => publisher.state.kind === 'connecting');
    expect(await publisher.publish(toWork()).catch(kindOf)).to.equal('unavailable');
    expect(await publisher.inspect(queuesOf(service).work).catch(kindOf)).to.equal('unavailable');
    rabbit.resume();
    await until(publisher, () => publisher.usable);
    await publisher.publish(toWork());
    await publisher.stop();
  });

  it('frozen: a late confirm frees its place', async () => {
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

  it('under an alarm: publishing says so, replies wait, nothing is lost', async () => {
    const working = Promise.withResolvers<void>();
    gate = working.promise;
    await asker.send('a', 'a');
    await eventually(async () => (await asker.publisher.inspect(queuesOf(service).work))?.ready === 0);
    await rabbit.ctl('set_vm_memory_high_watermark', '0.000001');
    try {
      // The broker tells a connection once it publishes.
      asker.send('b', 'b').catch(() => {});
      await until(asker.publisher, () => asker.publisher.state.kind === 'blocked');
      expect(asker.publisher.usable).to.equal(false);
      expect(await asker.send('c', 'c').catch(kindOf)).to.equal('blocked');
      working.resolve();
      await until(consumer, () => consumer.state.kind === 'blocked');
      expect(asker.replies('a')).to.equal(0);
    } finally {
      await rabbit.ctl('set_vm_memory_high_watermark', '0.4');
    }
    await back();
    await asker.send('d', 'd');
    await answered(['a', 'b', 'd']);
  });

  it('with a queue at its limit refuses what is published, and takes it when the limit is lifted, on the same connection', async () => {
    await consumer.stop(0);
    const states: string[] = [];
    asker.publisher.subscribe(() => states.push(asker.publisher.state.kind));
    const send = (): Promise<unknown> => asker.send('a', 'a').catch(kindOf);
    await rabbit.ctl('set_policy', 'limite', `^${queuesOf(service).work}$`, '{"max-length":2}');
    await eventually(async () => (await send()) === 'nacked');
    await rabbit.ctl('clear_policy', 'limite');
    await eventually(async () => (await send()) === undefined);
    expect(states).to.deep.equal([]);
  });

  it('that closes all connections: all goes on', async () => {
    const working = Promise.withResolvers<void>();
    gate = working.promise;
    await Promise.all(['a', 'b'].map((id) => asker.send(id, id)));
    await rabbit.ctl('close_all_connections', 'prueba');
    working.resolve();
    await back();
    await asker.send('c', 'c');
    await answered(['a', 'b', 'c']);
  });

  it('stopped in good order and started again: all goes on', async () => {
    await asker.send('a', 'a');
    await rabbit.ctl('stop_app');
    await until(asker.publisher, () => !asker.publisher.usable);
    expect(await asker.send('b', 'b').catch(kindOf)).to.equal('unavailable');
    await rabbit.ctl('start_app');
    await back();
    await asker.send('c', 'c');
    await answered(['a', 'c']);
  });

  it('killed and started again: what was confirmed is answered, what was pending is rejected at once', async () => {
    const working = Promise.withResolvers<void>();
    gate = working.promise;
    const ids = Array.from({ length: 40 }, (_, n) => `n${n}`);
    await Promise.all(ids.map((id) => asker.send(id, id)));
    rabbit.pause();
    const pending = asker.send('pendiente', 1).catch(kindOf);
    await rabbit.kill();
    expect(await pending).to.equal('unavailable');
    working.resolve();
    await rabbit.restart();
    await back();
    await answered(ids);
  });

  it('killed right after a queue was declared, which may leave that without a leader: it works again', async () => {
    const fresh = await startAsker(rabbit.url, uniqueName());
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

  it('wiped: all is declared again, and new work flows', async () => {
    await asker.send('a', 'a');
    await answered(['a']);
    await rabbit.wipe();
    await rabbit.restart();
    await back();
    await asker.send('b', 'b');
    await answered(['b']);
  });

  it('away when the service starts: the service waits for it', async () => {
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
    await asker.send('a', 'a');
    await answered(['a']);
  });

  it('frozen: a service stops all the same', async () => {
    gate = new Promise(() => {});
    await asker.send('a', 'a');
    await until(consumer, () => consumer.state.kind === 'ready');
    rabbit.pause();
    await consumer.stop(100);
    expect(consumer.state.kind).to.equal('stopped');
  });
});
