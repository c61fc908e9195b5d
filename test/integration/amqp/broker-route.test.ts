import { connect } from 'amqplib';
import { expect } from 'chai';
import { services } from '../../../gateway/services.ts';
import { createBrokerRoute } from '../../../gateway/solicitudes/broker-route.ts';
import type { DispatchRoute } from '../../../gateway/solicitudes/dispatcher.ts';
import type { Solicitud } from '../../../gateway/solicitudes/ledger.ts';
import { createPublisher, type Publisher } from '../../../runtime/amqp/publisher.ts';
import { declareService, queuesOf } from '../../../runtime/amqp/topology.ts';
import { silent, uniqueName } from '../../support/clients/amqp-requester.ts';
import { acceptance } from '../../support/ledger/ledger-calls.ts';
import { MemoryLedger } from '../../support/ledger/memory-ledger.ts';
import { eventually, until } from '../../support/processes/eventually.ts';
import { sharedRabbit } from '../../support/servers/rabbitmq.ts';

const minute = 60_000;
/** A fixed clock for the ledger: on a busy machine seconds pass between two steps of a test. */
const now = Date.now();

describe('The broker route', () => {
  const service = uniqueName();
  let publisher: Publisher;
  let ledger: MemoryLedger;
  let direct: DispatchRoute & { open: boolean };
  let connected: boolean;
  let declared: boolean;
  const [mserv1] = services;

  before(async () => {
    publisher = createPublisher({
      url: (await sharedRabbit()).url,
      name: 'archivero test publisher',
      log: silent,
      declare: (session) => declareService(session, service),
    });
    publisher.start();
    await until(publisher, () => publisher.usable);
  });
  after(() => publisher.stop());

  beforeEach(() => {
    ledger = new MemoryLedger({ maxRows: 100, maxBytes: 1_000_000 });
    direct = { open: false, room: 4, dispatch: async () => {} };
    connected = true;
    declared = true;
  });

  const route = (): DispatchRoute =>
    createBrokerRoute({
      service,
      ledger,
      publisher,
      serviceQueues: { declared: () => declared, redeclare: async () => {} },
      replies: {
        queue: 'nadie',
        get connected() {
          return connected;
        },
      },
      direct,
      operation: () => mserv1?.operations[0],
      log: silent,
      now: () => now,
    });

  /** Returns a row that was published at `at` and whose message is in no queue. */
  async function publishedAt(id: string, at: number): Promise<Solicitud> {
    await ledger.accept(acceptance({ id, service }));
    await ledger.published(id, at, at);
    const row = await ledger.get(id);
    if (row === undefined) throw new Error('It was not accepted');
    return row;
  }
  const ready = async (): Promise<number> => (await publisher.inspect(queuesOf(service).work))?.ready ?? 0;

  async function purge(queue: string): Promise<void> {
    const connection = await connect((await sharedRabbit()).url);
    const channel = await connection.createChannel();
    await channel.purgeQueue(queue);
    await connection.close();
  }

  it('publishes a lost message again after a minute, or when the clock was set back by an hour', async () => {
    const recent = [await publishedAt('a', now), await publishedAt('b', now + minute / 2)];
    const { signal } = new AbortController();
    await route().dispatch(recent, { done: () => {} }, signal);
    expect(await ready()).to.equal(0);
    const gone = [await publishedAt('c', now - minute), await publishedAt('d', now + 60 * minute)];
    await route().dispatch(gone, { done: () => {} }, signal);
    expect(await ready()).to.equal(2);
  });

  it('takes no message for lost while the isolation or quarantine queue holds one', async () => {
    const { isolation, quarantine, work } = queuesOf(service);
    const { signal } = new AbortController();
    const before = await ready();
    for (const queue of [isolation, quarantine]) {
      await publisher.publish({
        exchange: '',
        routingKey: queue,
        content: Buffer.from('{}'),
        properties: {},
      });
      await route().dispatch([await publishedAt(queue, now - minute)], { done: () => {} }, signal);
      expect(await ready()).to.equal(before);
      await purge(queue);
    }
    await purge(work);
    await route().dispatch([await publishedAt('perdida', now - minute)], { done: () => {} }, signal);
    expect(await ready()).to.equal(1);
  });

  it('uses the other route after a minute of isolation, and at once without a consumer', async () => {
    const redirected: string[] = [];
    direct = {
      open: true,
      room: 4,
      dispatch: async (rows) => void redirected.push(...rows.map(({ id }) => id)),
    };
    const { isolation, work } = queuesOf(service);
    const { signal } = new AbortController();
    await purge(work);
    const connection = await connect((await sharedRabbit()).url);
    const channel = await connection.createChannel();
    try {
      await channel.consume(isolation, () => {});
      await route().dispatch([await publishedAt('a', now - minute / 2)], { done: () => {} }, signal);
      expect(redirected).to.deep.equal([]);
      // After a minute the consumer may be stuck, and the other route is used.
      await route().dispatch([await publishedAt('viejo', now - 2 * minute)], { done: () => {} }, signal);
    } finally {
      await connection.close();
    }
    await eventually(async () => (await publisher.inspect(isolation))?.consumers === 0);
    expect(await ready()).to.equal(0);
    await route().dispatch([await publishedAt('b', now - minute / 60)], { done: () => {} }, signal);
    expect(redirected).to.deep.equal(['viejo', 'b']);
  });

  it('is closed while replies cannot be consumed and the other route is open', () => {
    expect(route().open).to.equal(true);
    connected = false;
    expect(route().open).to.equal(true);
    direct.open = true;
    expect(route().open).to.equal(false);
  });

  it("is closed while its service's queues are not declared", () => {
    declared = false;
    expect(route().open).to.equal(false);
  });
});
