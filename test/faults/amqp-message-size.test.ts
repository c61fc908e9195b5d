import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { PublishError } from '../../runtime/amqp/publisher.ts';
import { createWorkConsumer, type WorkConsumer } from '../../runtime/amqp/work-consumer.ts';
import { StatusError } from '../../runtime/errors.ts';
import { Status } from '../../runtime/status.ts';
import { type Requester, silent, startRequester, uniqueName } from '../support/clients/amqp-requester.ts';
import { type Rabbit, startRabbit } from '../support/servers/rabbitmq.ts';
import { ecoMethods } from '../support/services/eco-service.ts';

const maxMessageSize = 256 * 1024;

/** Answers that the handler gives, by request. */
const answers: Readonly<Record<string, () => string>> = {
  pequeña: () => 'p',
  // 512 KiB, which the broker takes when they are compressed.
  compresible: () => 'c'.repeat(512 * 1024),
  // 4 MiB: compressed before they are sent.
  larga: () => 'l'.repeat(4 * 1024 * 1024),
  enorme: () => randomBytes(2 * 1024 * 1024).toString('base64'),
};

describe('A broker with small limits', () => {
  let rabbit: Rabbit;
  let requester: Requester;
  let consumer: WorkConsumer;
  /** The states of the connections since the test began, except `ready`. */
  let states: string[];

  before(async () => {
    rabbit = await startRabbit({
      config: [`max_message_size = ${maxMessageSize}`, 'frame_max = 4096'],
    });
  });

  after(() => rabbit.stop());

  beforeEach(async () => {
    const service = uniqueName();
    requester = await startRequester(rabbit.url, service);
    consumer = createWorkConsumer({
      url: rabbit.url,
      service,
      log: silent,
      methods: ecoMethods(async (request) => {
        const text = String(request);
        if (text.startsWith('mal')) throw new StatusError(Status.NOT_FOUND, 'no-hay', 'ñ'.repeat(10_000));
        return answers[text]?.();
      }),
    });
    consumer.start();
    await requester.send('primera', 'pequeña');
    await requester.result('primera');
    states = [];
    for (const link of [requester.publisher, consumer]) {
      link.subscribe(() => {
        if (link.state.kind !== 'ready') states.push(link.state.kind);
      });
    }
  });

  afterEach(async () => {
    await consumer.stop(0);
    await requester.stop();
  });

  const ofAnswer = (name: string) => ({ kind: 'answer', response: JSON.stringify(answers[name]?.()) });

  it('refuses a message that is too large, and confirms those beside it on the same connection', async () => {
    const large = { request: JSON.stringify('x'.repeat(2 * maxMessageSize)) };
    const send = (id: string, more = {}) =>
      requester.send(id, 'pequeña', more).then(
        () => 'confirmed',
        (error: unknown) => (error instanceof PublishError ? error.kind : error),
      );
    const ids = Array.from({ length: 200 }, (_, n) => `n${n}`);
    const sent = await Promise.all(ids.map((id, n) => send(id, n === 100 ? large : {})));
    expect(sent.filter((outcome) => outcome !== 'confirmed')).to.deep.equal(['too-large']);
    expect(await send('otra', large)).to.equal('too-large');
    expect(states).to.deep.equal([]);
  });

  for (const name of ['compresible', 'larga']) {
    it(`answers a request whose answer is too large for the broker as it is: ${name}`, async () => {
      await requester.send('a', name);
      expect(await requester.result('a')).to.deep.equal(ofAnswer(name));
      expect(states).to.deep.equal([]);
    });
  }

  it('ends a request whose answer it does not take even compressed, and no other notices', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `n${n}`);
    await Promise.all(ids.map((id, n) => requester.send(id, n % 10 === 5 ? 'enorme' : 'pequeña')));
    for (const [n, id] of ids.entries()) {
      const tooLarge = {
        kind: 'status',
        code: Status.INTERNAL,
        message: 'respuesta-demasiado-grande: The answer is too large',
      };
      expect(await requester.result(id)).to.deep.equal(n % 10 === 5 ? tooLarge : ofAnswer('pequeña'));
    }
    expect(states).to.deep.equal([]);
  });

  it('carries a long status message, in frames of 4 KiB', async () => {
    await requester.send('a', 'mal');
    expect(await requester.result('a')).to.include({ kind: 'status', code: Status.NOT_FOUND });
    expect(states).to.deep.equal([]);
  });
});
