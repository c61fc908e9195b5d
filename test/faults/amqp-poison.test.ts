import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { startRequester, uniqueName } from '../support/clients/amqp-requester.ts';
import { eventually } from '../support/processes/eventually.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';

describe('A request whose worker dies', () => {
  const begun: unknown[] = [];
  let worker: ChildProcess | undefined;
  let over: AbortController;

  function startWorker(url: string, service: string): ChildProcess {
    const child = fork(`${import.meta.dirname}/../support/services/eco-worker.ts`, [url, service]);
    child.on('message', (request) => begun.push(request));
    return child;
  }

  beforeEach(() => {
    begun.length = 0;
    over = new AbortController();
  });

  afterEach(async () => {
    over.abort();
    if (worker === undefined || worker.exitCode !== null || worker.signalCode !== null) return;
    worker.kill('SIGKILL');
    await once(worker, 'exit');
  });

  it('is answered as poison when it kills every worker, while all other requests are answered', async () => {
    const { url } = await sharedRabbit();
    const service = uniqueName();
    const requester = await startRequester(url, service);
    const keepAlive = (): void => {
      worker = startWorker(url, service);
      worker.once('exit', () => {
        if (!over.signal.aborted) keepAlive();
      });
    };
    const neighbours = Array.from({ length: 8 }, (_, n) => `vecino${n}`);
    await Promise.all([...neighbours, 'muere'].map((id) => requester.send(id, id)));
    keepAlive();
    const deaths = (): number => begun.filter((request) => request === 'muere').length;
    await eventually(() => deaths() === 5);
    await requester.send('tarde', 'tarde');

    expect(await requester.result('muere')).to.deep.equal({ kind: 'poison' });
    for (const id of [...neighbours, 'tarde']) expect((await requester.result(id)).kind).to.equal('answer');
    over.abort();
    // A delivery limit of n allows n + 1 deliveries: 4 of the work queue, 3 of the isolation queue.
    expect(deaths()).to.equal(7);
    // Once the request is isolated, later requests are not delivered beside it.
    expect(begun.indexOf('tarde')).to.be.greaterThan(begun.lastIndexOf('muere'));
    await requester.stop();
  });

  it('is delivered to the next worker when its first worker is killed', async () => {
    const { url } = await sharedRabbit();
    const service = uniqueName();
    const requester = await startRequester(url, service);
    worker = startWorker(url, service);
    await requester.send('a', 'espera');
    await eventually(() => begun.length === 1);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    worker = startWorker(url, service);
    await eventually(() => begun.length === 2);
    await requester.stop();
  });
});
