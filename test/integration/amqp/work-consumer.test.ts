import { mock } from 'node:test';
import { expect } from 'chai';
import { pino } from 'pino';
import { createSubscriber } from '../../../runtime/amqp/subscriber.ts';
import { declareService, queuesOf } from '../../../runtime/amqp/topology.ts';
import { createWorkConsumer, type WorkConsumer } from '../../../runtime/amqp/work-consumer.ts';
import { StatusError } from '../../../runtime/errors.ts';
import type { CallContext } from '../../../runtime/handlers.ts';
import { Status } from '../../../runtime/status.ts';
import { type Asker, silent, startAsker, uniqueName } from '../../support/clients/amqp-asker.ts';
import { eventually } from '../../support/processes/eventually.ts';
import { sharedRabbit } from '../../support/servers/rabbitmq.ts';
import { ecoMethods } from '../../support/services/eco-service.ts';

const notYet = (_request: unknown): unknown => {
  throw new StatusError(Status.UNAVAILABLE, 'raiz-no-disponible', 'No root');
};

describe('A work consumer', () => {
  let url: string;
  let service: string;
  let asker: Asker;
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
    (await asker.publisher.inspect(queuesOf(service).work))?.ready;

  beforeEach(async () => {
    url = (await sharedRabbit()).url;
    service = uniqueName();
    asker = await startAsker(url, service);
  });

  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop(0)));
    await asker.stop();
  });

  it('holds more than it works on at once, so that nobody waits for the confirm of a reply', async () => {
    let running = 0;
    let most = 0;
    let started = 0;
    const go = Promise.withResolvers<void>();
    const handle = async (request: unknown) => {
      started += 1;
      running += 1;
      most = Math.max(most, running);
      await go.promise;
      running -= 1;
      return request;
    };
    start(handle, { concurrency: 2, prefetch: 6 });
    const ids = Array.from({ length: 10 }, (_, index) => `r${index}`);
    await Promise.all(ids.map((id) => asker.send(id, id)));
    await eventually(async () => started === 2 && (await depth()) === 4);
    go.resolve();
    await Promise.all(ids.map((id) => asker.result(id)));
    expect(most).to.equal(2);
  });

  it('answers with what the handler says, and tells the log as the other door does', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
    const handle = async (request: unknown) => {
      if (request !== 'mal') return { eco: request };
      throw new StatusError(Status.NOT_FOUND, 'ruta-no-existe', 'No «año» here: 100 %');
    };
    start(handle, { log });
    await asker.send('a', 'bien');
    await asker.send('b', 'mal');
    expect(await asker.result('a')).to.deep.equal({ kind: 'answer', response: '{"eco":"bien"}' });
    expect(await asker.result('b')).to.deep.equal({
      kind: 'status',
      code: Status.NOT_FOUND,
      message: 'ruta-no-existe: No «año» here: 100 %',
    });
    const calls = () => lines.filter(({ msg }) => msg === 'call');
    await eventually(() => calls().length === 2);
    const told = calls().map(({ door, id, code, detail }) => ({ door, id, code, detail }));
    expect(told).to.have.deep.members([
      { door: 'rabbitmq', id: 'a', code: 'OK', detail: undefined },
      { door: 'rabbitmq', id: 'b', code: 'NOT_FOUND', detail: 'ruta-no-existe: No «año» here: 100 %' },
    ]);
  });

  it('gives the handler the request id', async () => {
    start(async (_, { requestId }) => requestId);
    await asker.send('a', 1);
    expect(await asker.result('a')).to.deep.equal({ kind: 'answer', response: '"peticion-a"' });
  });

  it('answers a method that it does not have', async () => {
    start(async () => 1);
    await asker.send('a', 1, { type: 'prueba.v1.Eco/Nada' });
    expect(await asker.result('a')).to.include({ kind: 'status', code: Status.UNIMPLEMENTED });
  });

  it('tells nothing of a bug', async () => {
    start(async () => {
      throw new Error('/etc/passwd');
    });
    await asker.send('a', 1);
    await asker.send('b', 1, { request: '{' });
    const internal = { kind: 'status', code: Status.INTERNAL, message: 'error-interno: Internal error' };
    expect(await asker.result('a')).to.deep.equal(internal);
    expect(await asker.result('b')).to.deep.equal(internal);
  });

  it('does not run what nobody waits for any more', async () => {
    let runs = 0;
    start(async () => {
      runs += 1;
    });
    await asker.send('a', 1, { expiresAt: 1 });
    expect(await asker.result('a')).to.deep.equal({ kind: 'expired' });
    expect(runs).to.equal(0);
  });

  it('does not run what nobody waits for any more when its turn comes', async () => {
    const first = Promise.withResolvers<void>();
    const ran: unknown[] = [];
    start(
      async (request) => {
        ran.push(request);
        await first.promise;
      },
      { concurrency: 1 },
    );
    await asker.send('a', 'a');
    await eventually(() => ran.length === 1);
    const expiresAt = Date.now() + 3_600_000;
    await asker.send('b', 'b', { expiresAt });
    await eventually(async () => (await depth()) === 0);
    const clock = mock.method(Date, 'now', () => expiresAt);
    try {
      first.resolve();
      expect(await asker.result('b')).to.deep.equal({ kind: 'expired' });
    } finally {
      clock.mock.restore();
    }
    expect(ran).to.deep.equal(['a']);
  });

  it('answers in time for a handler that does not end, and aborts its signal', async () => {
    let signal: AbortSignal | undefined;
    start(
      (_, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
      { workTimeoutMs: 50 },
    );
    await asker.send('a', 1);
    expect(await asker.result('a')).to.include({ kind: 'status', code: Status.DEADLINE_EXCEEDED });
    expect(signal?.aborted).to.equal(true);
  });

  it('drops what is no request', async () => {
    start(async (request) => request);
    const { work: routingKey } = queuesOf(service);
    const garbage = {
      exchange: '',
      routingKey,
      content: Buffer.from([0xff]),
      properties: { messageId: 'x' },
    };
    await asker.publisher.publish(garbage);
    await asker.send('a', 1);
    expect((await asker.result('a')).kind).to.equal('answer');
    await eventually(async () => (await depth()) === 0);
  });

  it('keeps requests for a service that cannot work yet', async () => {
    let tries = 0;
    let answer = notYet;
    const handle = async (request: unknown) => {
      tries += 1;
      return answer(request);
    };
    start(handle, { prefetch: 1 });
    const ids = ['a', 'b', 'c'];
    await Promise.all(ids.map((id) => asker.send(id, id)));
    await eventually(() => tries >= 3);
    expect(await depth()).to.equal(2);
    expect(ids.map(asker.replies)).to.deep.equal([0, 0, 0]);
    answer = (request) => request;
    for (const id of ids) expect((await asker.result(id)).kind).to.equal('answer');
    await eventually(async () => (await depth()) === 0);
    expect(ids.map(asker.replies)).to.deep.equal([1, 1, 1]);
  });

  it('hands back what it has held too long', async () => {
    let tries = 0;
    let answer = notYet;
    const handle = async (request: unknown) => {
      tries += 1;
      return answer(request);
    };
    start(handle, { prefetch: 1, maxHoldMs: 0 });
    await asker.send('a', 'a');
    // It goes on trying, although it holds the request no longer.
    await eventually(async () => tries >= 3 && (await depth()) === 1);
    answer = (request) => request;
    expect((await asker.result('a')).kind).to.equal('answer');
    await eventually(async () => (await depth()) === 0);
    expect(asker.replies('a')).to.equal(1);
  });

  it('hands back what waits when it stops, without a mark of failure', async () => {
    let tries = 0;
    const consumer = start(async (request) => {
      tries += 1;
      return notYet(request);
    });
    await Promise.all(['a', 'b'].map((id) => asker.send(id, id)));
    await eventually(() => tries >= 2);
    await consumer.stop(5_000);
    expect(await depth()).to.equal(2);
    const counts: number[] = [];
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
            counts.push(delivery.deliveryCount);
            delivery.ack();
          },
        },
      ],
    });
    reader.start();
    await eventually(() => counts.length === 2);
    expect(counts).to.deep.equal([0, 0]);
    await reader.stop(0);
  });

  it('finishes what it does when it stops, within its grace', async () => {
    const [running, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const consumer = start(async (request) => {
      running.resolve();
      await goOn.promise;
      return request;
    });
    await asker.send('a', 'a');
    await running.promise;
    const stopped = consumer.stop(60_000);
    goOn.resolve();
    await stopped;
    expect((await asker.result('a')).kind).to.equal('answer');
    expect(await depth()).to.equal(0);
  });

  it('aborts what is left when its grace is over, and leaves it to the next', async () => {
    const signals: AbortSignal[] = [];
    const consumer = start((_, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    await asker.send('a', 'a');
    await eventually(() => signals.length === 1);
    await Promise.all([consumer.stop(0), consumer.stop(0)]);
    expect(signals[0]?.aborted).to.equal(true);
    start(async (request) => request);
    expect(await asker.result('a')).to.deep.equal({ kind: 'answer', response: '"a"' });
    expect(asker.replies('a')).to.equal(1);
  });

  it('gives up a reply whose queue is gone for good, and works on', async () => {
    start(async (request) => request, { replyPatienceMs: 300 });
    await asker.send('a', 'a', { replyTo: uniqueName() });
    await asker.send('b', 'b');
    expect((await asker.result('b')).kind).to.equal('answer');
    await eventually(async () => (await depth()) === 0);
  });
});
