import { expect } from 'chai';
import { LedgerUnavailableError } from '../../gateway/solicitudes/ledger.ts';
import { LedgerWorkerClient } from '../../gateway/solicitudes/sqlite/worker-client.ts';
import { eventually } from '../support/processes/eventually.ts';

type Dying = { readonly live: () => string; readonly die: () => string };

const open = (how: unknown, batchMs?: number) =>
  LedgerWorkerClient.open<Dying, unknown, unknown>(
    new URL('../support/ledger/dying-ledger-worker.ts', import.meta.url),
    how,
    batchMs,
  );
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("The client of the ledger's worker", () => {
  for (const how of ['throws', 'exits'] as const) {
    it(`rejects waiting and later calls when the worker ${how}, and can be stopped`, async () => {
      const { client, opened } = await open(how);
      expect(opened).to.equal(how);
      expect(await client.run('live')).to.equal('alive');
      const first = rejection(client.run('die'));
      // After these two turns of the event loop the first call is running; the second one waits.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      const second = rejection(client.run('live'));
      expect(await first).to.be.instanceOf(LedgerUnavailableError);
      expect(await second).to.be.instanceOf(LedgerUnavailableError);
      expect(await rejection(client.run('live'))).to.be.instanceOf(LedgerUnavailableError);
      await client.stop();
      await client.stop();
    });
  }

  it('rejects the calls made before it is stopped', async () => {
    const { client } = await open('exits');
    const running = rejection(client.run('die'));
    await client.stop();
    expect(await running).to.be.instanceOf(LedgerUnavailableError);
  });

  it('rejects calls while the worker hangs, and answers them when it continues', async () => {
    const wake = new Int32Array(new SharedArrayBuffer(4));
    const { client } = await open(wake, 100);
    const underWay = rejection(client.run('die'));
    await new Promise(setImmediate);
    const waiting = rejection(client.run('live'));
    expect(await underWay).to.be.instanceOf(LedgerUnavailableError);
    expect(await waiting).to.be.instanceOf(LedgerUnavailableError);
    expect(await rejection(client.run('live'))).to.be.instanceOf(LedgerUnavailableError);
    Atomics.store(wake, 0, 1);
    Atomics.notify(wake, 0);
    await eventually(async () => (await rejection(client.run('live'))) === undefined);
    expect(await client.run('live')).to.equal('alive');
    await client.stop();
  });

  it('rejects its opening when the worker exits before it is open', async () => {
    expect(await rejection(open('at once'))).to.be.instanceOf(LedgerUnavailableError);
  });
});
