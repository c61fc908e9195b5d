import { expect } from 'chai';
import { WorkerClient, WorkerEndedError } from '../../../../runtime/workers/worker-client.ts';
import type { SampleProtocol } from '../../../support/services/sample-worker.ts';

const start = () =>
  new WorkerClient<SampleProtocol>(new URL('../../../support/services/sample-worker.ts', import.meta.url));
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the worker client', () => {
  let worker: WorkerClient<SampleProtocol>;
  let events: string[];
  beforeEach(() => {
    worker = start();
    events = [];
  });
  afterEach(() => worker.stop());

  it('gets an answer for each request', async () => {
    const answers = await Promise.all([worker.request('double', 2), worker.request('double', 3)]);
    expect(answers).to.deep.equal([4, 6]);
  });

  it('rejects with the message, cause and fields of the error that a handler throws', async () => {
    const error = await rejection(worker.request('fail', 'ruta-no-existe'));
    expect(error).to.be.instanceOf(Error);
    const { name, message, code, reason, cause } = error as Error & { code: string; reason: string };
    expect({ name, message, code, reason }).to.deep.equal({
      name: 'FileError',
      message: 'No such thing',
      code: 'NOT_FOUND',
      reason: 'ruta-no-existe',
    });
    expect((cause as Error).message).to.equal('The cause');
  });

  it("rejects with the signal's reason when that aborts, and aborts the handler's signal", async () => {
    const aborted = Promise.withResolvers<string>();
    worker.listen({ onEvent: aborted.resolve });
    const abort = new AbortController();
    const waiting = rejection(worker.request('wait', undefined, abort.signal));
    await worker.request('double', 1);
    const reason = new Error('No longer needed');
    abort.abort(reason);
    expect(await waiting).to.equal(reason);
    expect(await aborted.promise).to.equal('aborted');
    expect(await rejection(worker.request('double', 1, abort.signal))).to.equal(reason);
  });

  it('passes events on in order, including those from before listen', async () => {
    worker.notify('emit', 'one');
    await worker.request('double', 1);
    worker.listen({ onEvent: (event) => events.push(event) });
    worker.notify('emit', 'two');
    await worker.request('double', 1);
    expect(events).to.deep.equal(['one', 'two']);
  });

  it('transfers the buffers of an answer', async () => {
    expect((await worker.request('bytes', 100)).byteLength).to.equal(100);
    expect(await worker.request('kept', undefined)).to.equal(0);
  });

  it('aborts pending requests and runs the stop handler when it is stopped', async () => {
    worker.listen({ onEvent: (event) => events.push(event), onEnd: () => events.push('end') });
    const waiting = rejection(worker.request('wait', undefined));
    await worker.stop();
    await worker.stop();
    expect(events).to.deep.equal(['aborted', 'stopped']);
    expect(await waiting).to.equal(undefined);
    expect(await rejection(worker.request('double', 1))).to.be.instanceOf(WorkerEndedError);
  });

  for (const ending of ['throws', 'exits'] as const) {
    it(`rejects pending and later requests, and reports the end once, when the worker ${ending}`, async () => {
      const ends: WorkerEndedError[] = [];
      const pending = rejection(worker.request('wait', undefined));
      worker.notify('die', ending);
      expect(await pending).to.be.instanceOf(WorkerEndedError);
      expect(await rejection(worker.request('double', 1))).to.be.instanceOf(WorkerEndedError);
      worker.listen({ onEnd: (end) => ends.push(end) });
      expect(ends.map(({ cause }) => (cause as Error | undefined)?.message)).to.deep.equal([
        ending === 'throws' ? 'A defect' : undefined,
      ]);
    });
  }
});
