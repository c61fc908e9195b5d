import { expect } from 'chai';
import { pino } from 'pino';
import { createAcceptor } from '../../../gateway/solicitudes/acceptance.ts';
import { acceptance } from '../../support/ledger/ledger-calls.ts';
import { MemoryLedger } from '../../support/ledger/memory-ledger.ts';

describe('accepted requests', () => {
  it('have ids in their order also when they are accepted within a millisecond', async () => {
    const ledger = new MemoryLedger({ maxRows: 1_000, maxBytes: 2 ** 20 });
    const log = pino({ level: 'silent' });
    const acceptor = createAcceptor({ ledger, lifetimeMs: 1_000, log, now: () => 1_000 });
    const { id: _, ...request } = acceptance({ id: '' });
    const ids: string[] = [];
    for (let n = 0; n < 200; n++) ids.push((await acceptor.accept(request)).id);
    for (const [n, id] of ids.entries()) if (n > 0) expect(id > (ids[n - 1] ?? '')).to.equal(true);
  });
});
