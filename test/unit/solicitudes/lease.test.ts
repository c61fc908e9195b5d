import { mock } from 'node:test';
import { expect } from 'chai';
import { pino } from 'pino';
import { leaseMs, underLease } from '../../../gateway/solicitudes/lease.ts';
import { acceptance } from '../../support/ledger/ledger-calls.ts';
import { MemoryLedger } from '../../support/ledger/memory-ledger.ts';

describe('a lease', () => {
  let time: number;
  let ledger: MemoryLedger;
  const log = pino({ level: 'silent' });
  const now = () => time;
  const claim = () => ledger.claim('mserv1', time, time + leaseMs, 10);

  beforeEach(async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    time = 10_000;
    ledger = new MemoryLedger({ maxRows: 100, maxBytes: 1_000_000 });
    for (const id of ['a', 'b', 'c']) await ledger.accept(acceptance({ id }));
  });

  afterEach(() => mock.timers.reset());

  it('lasts as long as the work, and ends with undone rows due and done ones unchanged', async () => {
    const rows = await claim();
    await underLease(rows, { ledger, log, now }, async (lease) => {
      await ledger.published('a', time, time + 60_000);
      lease.done('a');
      for (let passed = 0; passed < 10 * leaseMs; passed += 500) {
        time += 500;
        mock.timers.tick(500);
        expect(await claim()).to.deep.equal([]);
      }
      await ledger.close('b', { state: 'cancelada', at: time });
    });
    // The row that was not done is due again at once.
    expect((await claim()).map(({ id }) => id)).to.deep.equal(['c']);
    expect(await ledger.nextDue('mserv1')).to.equal(time + leaseMs);
  });

  it('ends at once when the work fails', async () => {
    const failure = underLease(await claim(), { ledger, log, now }, async () => {
      throw new Error('the broker is gone');
    });
    expect(await failure.catch((err: Error) => err.message)).to.equal('the broker is gone');
    expect(await claim()).to.have.length(3);
  });

  it('expires when it is not renewed', async () => {
    await claim();
    time += leaseMs - 1;
    expect(await claim()).to.deep.equal([]);
    time += 1;
    expect(await claim()).to.have.length(3);
  });
});
