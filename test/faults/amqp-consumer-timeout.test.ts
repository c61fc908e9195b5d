import { expect } from 'chai';
import { queuesOf } from '../../runtime/amqp/topology.ts';
import { createWorkConsumer } from '../../runtime/amqp/work-consumer.ts';
import { StatusError } from '../../runtime/errors.ts';
import { Status } from '../../runtime/status.ts';
import { silent, startRequester, uniqueName } from '../support/clients/amqp-requester.ts';
import { eventually } from '../support/processes/eventually.ts';
import { startRabbit } from '../support/servers/rabbitmq.ts';
import { ecoMethods } from '../support/services/eco-service.ts';

describe('A broker with a short consumer_timeout', () => {
  it('closes no channel over a request that waits for its service', async () => {
    // A minute is the least that RabbitMQ's documentation allows.
    const rabbit = await startRabbit({ config: ['consumer_timeout = 60000'] });
    // How often the channels look for late deliveries.
    await rabbit.ctl('eval', 'application:set_env(rabbit, channel_tick_interval, 1000).');
    const service = uniqueName();
    const requester = await startRequester(rabbit.url, service);
    const states: string[] = [];
    const consumer = createWorkConsumer({
      url: rabbit.url,
      service,
      log: silent,
      methods: ecoMethods(async () => {
        throw new StatusError(Status.UNAVAILABLE, 'raiz-no-disponible', 'No root');
      }),
    });
    consumer.start();
    await eventually(() => consumer.state.kind === 'ready');
    consumer.subscribe(() => states.push(consumer.state.kind));
    await requester.send('a', 'a');
    const { work } = queuesOf(service);
    const ready = async () => (await requester.publisher.inspect(work))?.ready;
    await eventually(async () => (await ready()) === 0);
    // Ready again: handed back, or returned by a channel that was closed.
    await eventually(async () => (await ready()) === 1);
    expect(states).to.deep.equal([]);
    await consumer.stop(0);
    await requester.stop();
    await rabbit.stop();
  });
});
