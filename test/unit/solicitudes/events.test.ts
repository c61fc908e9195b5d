import { mock } from 'node:test';
import { expect } from 'chai';
import { eventsOf } from '../../../gateway/solicitudes/events.ts';
import { createWaiters, type Waiters } from '../../../gateway/solicitudes/waiters.ts';
import { acceptance } from '../../support/ledger/ledger-calls.ts';
import { MemoryLedger } from '../../support/ledger/memory-ledger.ts';

describe('the event stream', () => {
  let ledger: MemoryLedger;
  let followers: Waiters;
  let disconnect: AbortController;
  let events: AsyncGenerator<string, void>;
  const next = async () => (await events.next()).value;

  beforeEach(async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    ledger = new MemoryLedger({ maxRows: 10, maxBytes: 100_000 });
    followers = createWaiters(1);
    disconnect = new AbortController();
    await ledger.accept(acceptance({ id: 'a' }));
    const watch = followers.watch('a', 'ana');
    events = eventsOf({ id: 'a' }, 0, { ledger, followers, watch, signal: disconnect.signal });
    expect(await next()).to.match(/^retry: \d+\n\n$/);
    expect(await next()).to.equal(
      'id: 0\ndata: {"estado":"aceptada","momento":"1970-01-01T00:00:01.000Z"}\n\n',
    );
  });

  afterEach(() => mock.timers.reset());

  it('has a comment every 15 s without an event', async () => {
    for (let beats = 0; beats < 3; beats++) {
      const beat = next();
      await new Promise(setImmediate);
      mock.timers.tick(14_999);
      mock.timers.tick(1);
      expect(await beat).to.match(/^: .*\n\n$/);
    }
  });

  it('has an event without a notification after the next comment', async () => {
    const event = next();
    await new Promise(setImmediate);
    await ledger.published('a', 2000, 5000);
    mock.timers.tick(15_000);
    // No notification comes: another gateway died before it sent one.
    expect(await event).to.match(/^: /);
    expect(await next()).to.contain('id: 1\ndata: {"estado":"encolada"');
  });

  it('ends after the final state, when the row is gone, and when the client disconnects', async () => {
    const event = next();
    await ledger.close('a', { state: 'cancelada', at: 3000 });
    followers.notify('a');
    expect(await event).to.contain('id: 1\ndata: {"estado":"cancelada"');
    expect((await events.next()).done).to.equal(true);

    const forgotten = eventsOf({ id: 'b' }, 0, {
      ledger,
      followers,
      watch: createWaiters(1).watch('b', 'ana'),
      signal: disconnect.signal,
    });
    await forgotten.next();
    expect((await forgotten.next()).done).to.equal(true);

    await ledger.accept(acceptance({ id: 'c' }));
    const left = eventsOf({ id: 'c' }, 1, {
      ledger,
      followers,
      watch: createWaiters(1).watch('c', 'ana'),
      signal: disconnect.signal,
    });
    await left.next();
    const end = left.next();
    disconnect.abort();
    expect((await end).done).to.equal(true);
  });
});
