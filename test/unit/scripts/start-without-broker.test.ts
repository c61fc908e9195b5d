import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { openLink } from '../../../runtime/amqp/link.ts';
import { createLogger } from '../../../runtime/log.ts';
import { freePorts } from '../../../scripts/free-ports.ts';
import { createStartPrinter } from '../../../scripts/start-printer.ts';
import { createQueue } from '../../../scripts/start-queue.ts';

/** A URL at which no broker answers, and for which `npm start` starts none. */
async function deadUrl(): Promise<string> {
  const [port = 0] = await freePorts(1);
  return `amqp://ana:secreta@127.0.0.1:${port}`;
}

/** Returns the line that a link logs when its connection is refused. */
async function refusedLine(): Promise<string> {
  const destination = new PassThrough();
  const log = createLogger({ name: 'gateway', format: 'json', destination });
  const link = openLink({ url: await deadUrl(), name: 'archivero gateway', log, setup: async () => {} });
  const [line] = await once(destination, 'data');
  await link.stop();
  return String(line).trimEnd();
}

describe('npm start without RabbitMQ', () => {
  it('says how requests are kept, and expects failed connections when RABBITMQ_URL is not set', async () => {
    const said: string[] = [];
    const queue = createQueue(await deadUrl(), false, (text) => said.push(text));
    await queue.start();
    expect(queue.status).to.equal('embedded ledger; npm run broker shows how to install RabbitMQ');
    expect(queue.expectsNoBroker).to.equal(true);
    await queue.stop();
    expect(said).to.deep.equal([]);
  });

  it('names the broker that does not answer when RABBITMQ_URL is set, and prints its failures', async () => {
    const url = await deadUrl();
    const queue = createQueue(url, true, () => {});
    await queue.start();
    expect(queue.status).to.equal(`embedded ledger; RabbitMQ does not answer at ${new URL(url).host}`);
    expect(queue.expectsNoBroker).to.equal(false);
    await queue.stop();
  });

  for (const format of ['pretty', 'json'] as const) {
    it(`leaves out the warnings of refused connections while they are expected, as ${format}`, async () => {
      const line = await refusedLine();
      const said: string[] = [];
      const say = (text: string): void => void said.push(text);
      const print = (expected: boolean, text: string): void =>
        createStartPrinter({ format, say, isAnnounced: () => true, expectsNoBroker: () => expected })(
          'mserv1',
        )(text);
      print(true, line);
      print(true, line.replace('"link"', '"lnk"'));
      print(false, line);
      expect(said).to.have.length(2);
      expect(said[1]).to.include('ECONNREFUSED');
    });
  }
});
