import { expect } from 'chai';
import { LedgerUnavailableError } from '../../gateway/solicitudes/ledger.ts';
import { Lane } from '../../gateway/solicitudes/sqlite/worker-client.ts';
import { eventually } from '../support/eventually.ts';

type Dying = { readonly live: () => string; readonly die: () => string };

const thread = new URL('../support/dying-ledger-worker.ts', import.meta.url);
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("The ledger's thread, when it dies", () => {
  for (const how of ['throws', 'exits'] as const) {
    it(`rejects what waits and what comes later, and can be stopped: it ${how}`, async () => {
      const { lane, hello } = await Lane.open<Dying>(thread, how);
      expect(hello).to.equal(how);
      expect(await lane.run('live')).to.equal('alive');
      const first = rejection(lane.run('die'));
      await new Promise(setImmediate); // the first is under way, the second waits
      const second = rejection(lane.run('live'));
      expect(await first).to.be.instanceOf(LedgerUnavailableError);
      expect(await second).to.be.instanceOf(LedgerUnavailableError);
      expect(await rejection(lane.run('live'))).to.be.instanceOf(LedgerUnavailableError);
      await lane.stop();
      await lane.stop();
    });
  }

  it('rejects what was asked before it was stopped', async () => {
    const { lane } = await Lane.open<Dying>(thread, 'exits');
    const asked = rejection(lane.run('die'));
    await lane.stop();
    expect(await asked).to.be.instanceOf(LedgerUnavailableError);
  });

  it('rejects what is asked of it while it hangs, and goes on when it does', async () => {
    const wake = new Int32Array(new SharedArrayBuffer(4));
    const { lane } = await Lane.open<Dying>(thread, wake, 100);
    const underWay = rejection(lane.run('die'));
    await new Promise(setImmediate);
    const waiting = rejection(lane.run('live'));
    expect(await underWay).to.be.instanceOf(LedgerUnavailableError);
    expect(await waiting).to.be.instanceOf(LedgerUnavailableError);
    expect(await rejection(lane.run('live'))).to.be.instanceOf(LedgerUnavailableError);
    Atomics.store(wake, 0, 1);
    Atomics.notify(wake, 0);
    await eventually(async () => (await rejection(lane.run('live'))) === undefined);
    expect(await lane.run('live')).to.equal('alive');
    await lane.stop();
  });

  it('does not hang when it dies before it is ready', async () => {
    expect(await rejection(Lane.open(thread, 'at once'))).to.be.instanceOf(LedgerUnavailableError);
  });
});
