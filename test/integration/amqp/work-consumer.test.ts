import { connect } from 'amqplib';
import { expect } from 'chai';
import { pino } from 'pino';
import { createSubscriber } from '../../../runtime/amqp/subscriber.ts';
import { declareService, queuesOf } from '../../../runtime/amqp/topology.ts';
import { createWorkConsumer, type WorkConsumer } from '../../../runtime/amqp/work-consumer.ts';
import { StatusError } from '../../../runtime/errors.ts';
import type { CallContext } from '../../../runtime/handlers.ts';
import { Status } from '../../../runtime/status.ts';
import { type Requester, silent, startRequester, uniqueName } from '../../support/clients/amqp-requester.ts';
import { eventually, until } from '../../support/processes/eventually.ts';
import { sharedRabbit } from '../../support/servers/rabbitmq.ts';
import { ecoMethods } from '../../support/services/eco-service.ts';

const unavailable = (_request: unknown): unknown => {
  throw new StatusError(Status.UNAVAILABLE, 'raiz-no-disponible', 'No root');
};

describe('A queue consumer', () => {
  let url: string;
  let service: string;
  let requester: Requester;
  const consumers: WorkConsumer[] = [];

  function start(
    handle: (request: unknown, context: CallContext) => Promise<unknown>,
    more = {},
  ): WorkConsumer {
    const consumer = createWorkConsumer({ url, service, log: silent, methods: ecoMethods(handle), ...more });
    consumers.push(consumer);
    consumer.start();
    return consumer;
  }
  const depth = async (): Promise<number | undefined> =>
    (await requester.publisher.inspect(queuesOf(service).work))?.ready;

  async function management(path: string, method = 'GET'): Promise<unknown> {
    const { username, password, origin } = new URL((await sharedRabbit()).managementUrl);
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    const answer = await fetch(`${origin}/api/${path}`, { method, headers: { authorization } });
    return method === 'GET' ? answer.json() : undefined;
  }
  /** Returns the number of messages of the work queue that are held, as of half a second ago. */
  async function unacknowledged(): Promise<unknown> {
    const queue = await management(`queues/%2F/${queuesOf(service).work}`);
    return (queue as { readonly messages_unacknowledged?: number }).messages_unacknowledged;
  }

  /** Ends the connection over which the service consumes. */
  async function closeConsumer(): Promise<void> {
    type Listed = { readonly name: string; readonly user_provided_name?: string };
    let found: Listed | undefined;
    await eventually(async () => {
      const all = (await management('connections')) as readonly Listed[];
      found = all.find(({ user_provided_name: own }) => own === `archivero ${service} consumer`);
      return found !== undefined;
    });
    await management(`connections/${encodeURIComponent(found?.name ?? '')}`, 'DELETE');
  }

  beforeEach(async () => {
    url = (await sharedRabbit()).url;
    service = uniqueName();
    requester = await startRequester(url, service);
  });

  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop(0)));
    await requester.stop();
  });

  it('prefetches more requests than it runs at once', async () => {
    let running = 0;
    let maxRunning = 0;
    let started = 0;
    const finish = Promise.withResolvers<void>();
    const handle = async (request: unknown) => {
      started += 1;
      running += 1;
      maxRunning = Math.max(maxRunning, running);
      await finish.promise;
      running -= 1;
      return request;
    };
    start(handle, { concurrency: 2, prefetch: 6 });
    const ids = Array.from({ length: 10 }, (_, index) => `r${index}`);
    await Promise.all(ids.map((id) => requester.send(id, id)));
    await eventually(async () => started === 2 && (await depth()) === 4);
    finish.resolve();
    await Promise.all(ids.map((id) => requester.result(id)));
    expect(maxRunning).to.equal(2);
  });

  it("replies with the handler's result, and logs each call as the gRPC listener does", async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
    const handle = async (request: unknown) => {
      if (request !== 'mal') return { eco: request };
      throw new StatusError(Status.NOT_FOUND, 'ruta-no-existe', 'No «año» here: 100 %');
    };
    start(handle, { log });
    await requester.send('a', 'bien');
    await requester.send('b', 'mal');
    expect(await requester.result('a')).to.deep.equal({ kind: 'answer', response: '{"eco":"bien"}' });
    expect(await requester.result('b')).to.deep.equal({
      kind: 'status',
      code: Status.NOT_FOUND,
      message: 'ruta-no-existe: No «año» here: 100 %',
    });
    const calls = () => lines.filter(({ msg }) => msg === 'call');
    await eventually(() => calls().length === 2);
    const logged = calls().map(({ transport, id, code, detail }) => ({ transport, id, code, detail }));
    expect(logged).to.have.deep.members([
      { transport: 'rabbitmq', id: 'a', code: 'OK', detail: undefined },
      { transport: 'rabbitmq', id: 'b', code: 'NOT_FOUND', detail: 'ruta-no-existe: No «año» here: 100 %' },
    ]);
  });

  it('passes the request id to the handler', async () => {
    start(async (_, { requestId }) => requestId);
    await requester.send('a', 1);
    expect(await requester.result('a')).to.deep.equal({ kind: 'answer', response: '"peticion-a"' });
  });

  it('replies UNIMPLEMENTED to an unknown method', async () => {
    start(async () => 1);
    await requester.send('a', 1, { type: 'prueba.v1.Eco/Nada' });
    expect(await requester.result('a')).to.include({ kind: 'status', code: Status.UNIMPLEMENTED });
  });

  it('replies with a fixed text when the handler has a bug', async () => {
    start(async () => {
      throw new Error('/etc/passwd');
    });
    await requester.send('a', 1);
    const internal = { kind: 'status', code: Status.INTERNAL, message: 'error-interno: Internal error' };
    expect(await requester.result('a')).to.deep.equal(internal);
  });

  it("runs a request that has expired by the service's clock: only the gateway judges that", async () => {
    start(async (request) => request);
    await requester.send('a', 1, { expiresAt: 1 });
    expect(await requester.result('a')).to.deep.equal({ kind: 'answer', response: '1' });
  });

  it('replies DEADLINE_EXCEEDED when a handler does not end, and aborts its signal', async () => {
    let signal: AbortSignal | undefined;
    start(
      (_, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
      { workTimeoutMs: 50 },
    );
    await requester.send('a', 1);
    expect(await requester.result('a')).to.include({ kind: 'status', code: Status.DEADLINE_EXCEEDED });
    expect(signal?.aborted).to.equal(true);
  });

  it('drops a message that is no request', async () => {
    start(async (request) => request);
    const { work: routingKey } = queuesOf(service);
    const garbage = {
      exchange: '',
      routingKey,
      content: Buffer.from([0xff]),
      properties: { messageId: 'x' },
    };
    await requester.publisher.publish(garbage);
    await requester.send('a', 1);
    expect((await requester.result('a')).kind).to.equal('answer');
    await eventually(async () => (await depth()) === 0);
  });

  it('keeps requests while its service is unavailable', async () => {
    let attempts = 0;
    let answer = unavailable;
    const handle = async (request: unknown) => {
      attempts += 1;
      return answer(request);
    };
    start(handle, { prefetch: 1 });
    const ids = ['a', 'b', 'c'];
    await Promise.all(ids.map((id) => requester.send(id, id)));
    await eventually(() => attempts >= 3);
    expect(await depth()).to.equal(2);
    expect(ids.map(requester.replies)).to.deep.equal([0, 0, 0]);
    answer = (request) => request;
    for (const id of ids) expect((await requester.result(id)).kind).to.equal('answer');
    await eventually(async () => (await depth()) === 0);
    expect(ids.map(requester.replies)).to.deep.equal([1, 1, 1]);
  });

  it('requeues a request that it has held longer than maxHoldMs', async () => {
    let attempts = 0;
    let answer = unavailable;
    const handle = async (request: unknown) => {
      attempts += 1;
      return answer(request);
    };
    start(handle, { prefetch: 1, maxHoldMs: 0 });
    await requester.send('a', 'a');
    // The consumer goes on trying after it has requeued the request.
    await eventually(async () => attempts >= 3 && (await depth()) === 1);
    answer = (request) => request;
    expect((await requester.result('a')).kind).to.equal('answer');
    await eventually(async () => (await depth()) === 0);
    expect(requester.replies('a')).to.equal(1);
  });

  it('requeues waiting requests when it stops, without raising their delivery count', async () => {
    let attempts = 0;
    // More requests than the consumer holds: some are delivered while it stops.
    const ids = Array.from({ length: 200 }, (_, n) => `r${n}`);
    const consumer = start(async (request) => {
      attempts += 1;
      return unavailable(request);
    });
    await Promise.all(ids.map((id) => requester.send(id, id)));
    await eventually(() => attempts >= 2);
    await consumer.stop(60_000);
    // A copy whose confirm is late is in the queue beside its request, which then has a count.
    const untouched = new Set<unknown>();
    const reader = createSubscriber({
      url,
      name: 'archivero test reader',
      log: silent,
      declare: (session) => declareService(session, service),
      queues: [
        {
          name: queuesOf(service).work,
          prefetch: 10,
          onDelivery(delivery) {
            if (delivery.deliveryCount === 0) untouched.add(delivery.properties.messageId);
            delivery.ack();
          },
        },
      ],
    });
    reader.start();
    await eventually(() => untouched.size === ids.length);
    await reader.stop(0);
  });

  it("requeues another client's request with the fields of docs/wire.md only", async () => {
    let attempts = 0;
    start(
      async (request) => {
        attempts += 1;
        return unavailable(request);
      },
      { maxHoldMs: 0 },
    );
    const { work, quarantine } = queuesOf(service);
    const properties = {
      ...{ messageId: 'a', correlationId: 'a', type: 'prueba.v1.Eco/Repetir', replyTo: 'nadie', priority: 5 },
      // Copies of the message go to the queues in CC.
      headers: {
        CC: [uniqueName()],
        'x-testigo': 't',
        'x-vence': { '!': 'decimal', value: { places: 1, digits: 5 } },
      },
    };
    await requester.publisher.publish({
      exchange: '',
      routingKey: work,
      content: Buffer.from('1'),
      properties,
    });
    await eventually(async () => attempts >= 2 && (await depth()) === 1);
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop(0)));
    const connection = await connect(url);
    try {
      const channel = await connection.createChannel();
      const message = await channel.get(work, { noAck: true });
      if (message === false) throw new Error('The queue is empty');
      expect(message.properties.priority).to.equal(undefined);
      expect(message.properties.headers).to.have.all.keys(
        ...['x-testigo', 'x-request-id', 'x-publicacion', 'x-delivery-count'],
      );
      expect(await channel.get(quarantine, { noAck: true })).to.equal(false);
    } finally {
      await connection.close();
    }
  });

  it('finishes a running request when it stops, within its grace period', async () => {
    const [running, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const consumer = start(async (request) => {
      running.resolve();
      await finish.promise;
      return request;
    });
    await requester.send('a', 'a');
    await running.promise;
    const stopped = consumer.stop(60_000);
    finish.resolve();
    await stopped;
    expect((await requester.result('a')).kind).to.equal('answer');
    expect(await depth()).to.equal(0);
  });

  it('aborts a running request when its grace period is over, and leaves it to the next consumer', async () => {
    const signals: AbortSignal[] = [];
    const consumer = start((_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    await requester.send('a', 'a');
    await eventually(() => signals.length === 1);
    await Promise.all([consumer.stop(0), consumer.stop(0)]);
    expect(signals[0]?.aborted).to.equal(true);
    start(async (request) => request);
    expect(await requester.result('a')).to.deep.equal({ kind: 'answer', response: '"a"' });
    expect(requester.replies('a')).to.equal(1);
  });

  it('holds one copy of a request, however often it is published', async () => {
    const finish = Promise.withResolvers<void>();
    let runs = 0;
    start(async (request) => {
      runs += 1;
      await finish.promise;
      return request;
    });
    await requester.send('a', 'a');
    await eventually(() => runs === 1);
    for (let attempt = 2; attempt <= 20; attempt += 1) await requester.send('a', 'a', { attempt });
    // Two ledgers may give requests one id.
    await requester.send('a', 'a', { replyToken: 'otro' });
    await eventually(() => runs === 2);
    await eventually(async () => (await unacknowledged()) === 2);
    finish.resolve();
    await eventually(async () => (await unacknowledged()) === 0);
    expect(runs).to.equal(2);
    expect(requester.replies('a')).to.equal(2);
  });

  it('does not run a request whose connection was lost while it waited for its turn', async () => {
    const finish = Promise.withResolvers<void>();
    const ran: unknown[] = [];
    const consumer = start(
      async (request) => {
        ran.push(request);
        await finish.promise;
        return request;
      },
      { concurrency: 1 },
    );
    await requester.send('a', 'a');
    await eventually(() => ran.length === 1);
    await requester.send('b', 'b');
    await eventually(async () => (await unacknowledged()) === 2);
    const lost = until(consumer, () => consumer.state.kind === 'connecting');
    await closeConsumer();
    await lost;
    finish.resolve();
    for (const id of ['a', 'b']) expect((await requester.result(id)).kind).to.equal('answer');
    // The running request could not be taken back.
    expect(ran).to.deep.equal(['a', 'a', 'b']);
  });

  it('gives up a reply whose queue is gone, and answers the next request', async () => {
    start(async (request) => request, { replyPatienceMs: 300 });
    await requester.send('a', 'a', { replyTo: uniqueName() });
    await requester.send('b', 'b');
    expect((await requester.result('b')).kind).to.equal('answer');
    await eventually(async () => (await depth()) === 0);
  });
});
