import { mock } from 'node:test';
import { expect } from 'chai';
import { pino } from 'pino';
import { createDispatcher, type Dispatcher } from '../../../gateway/solicitudes/dispatcher.ts';
import { acceptance } from '../../support/ledger/ledger-calls.ts';
import { MemoryLedger } from '../../support/ledger/memory-ledger.ts';
import { eventually } from '../../support/processes/eventually.ts';

const hour = 3_600_000;

describe('the dispatcher', () => {
  let time: number;
  let ledger: MemoryLedger;
  let seen: string[];
  const start = async (): Promise<Dispatcher> => {
    const dispatcher = createDispatcher({
      service: 'mserv1',
      ledger,
      routes: [
        {
          open: true,
          room: 10,
          dispatch: async (rows, lease) => {
            for (const { id } of rows) {
              await ledger.published(id, time, time + 5_000);
              seen.push(id);
              lease.done(id);
            }
          },
        },
      ],
      broker: undefined,
      client: { onReachable: () => () => {} },
      log: pino({ level: 'silent' }),
      now: () => time,
    });
    await dispatcher.start();
    return dispatcher;
  };

  beforeEach(() => {
    time = 100 * hour;
    seen = [];
    ledger = new MemoryLedger({ maxRows: 100, maxBytes: 1_000_000 });
  });

  it('sends deferred rows again at once when the clock is set back', async () => {
    await ledger.accept(acceptance({ id: 'a', acceptedAt: time }));
    const dispatcher = await start();
    await eventually(() => seen.length === 1);
    time -= hour;
    dispatcher.wake();
    await eventually(() => seen.length === 2);
    await dispatcher.stop();
    expect(seen).to.deep.equal(['a', 'a']);
  });

  it('makes deferred rows due within a minute when the clock was set back before its start', async () => {
    await ledger.accept(acceptance({ id: 'a', acceptedAt: time }));
    await ledger.defer('a', time + hour);
    const dispatcher = await start();
    await eventually(async () => (await ledger.nextDue('mserv1')) === time + 60_000);
    await dispatcher.stop();
    expect(seen).to.deep.equal([]);
  });
});

describe('a dispatcher with a failing route', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'setInterval'] }));
  afterEach(() => mock.timers.reset());

  it('logs the failure once, and tries again every second', async () => {
    const lines: Record<string, unknown>[] = [];
    const ledger = new MemoryLedger({ maxRows: 100, maxBytes: 1_000_000 });
    let time = 100 * hour;
    await ledger.accept(acceptance({ id: 'a', acceptedAt: time }));
    let tries = 0;
    const dispatcher = createDispatcher({
      service: 'mserv1',
      ledger,
      routes: [
        {
          open: true,
          room: 10,
          dispatch: async () => {
            tries += 1;
            throw new Error('The broker is frozen');
          },
        },
      ],
      broker: undefined,
      client: { onReachable: () => () => {} },
      log: pino({ level: 'error' }, { write: (line) => lines.push(JSON.parse(line)) }),
      now: () => time,
    });
    const pass = async (ms: number): Promise<void> => {
      time += ms;
      mock.timers.tick(ms);
      // The ledger is in memory, so one turn of the event loop completes the dispatch.
      await new Promise(setImmediate);
    };
    await dispatcher.start();
    await pass(0);
    for (let n = 1; n <= 3; n++) {
      expect(tries).to.equal(n);
      await pass(999);
      expect(tries).to.equal(n);
      await pass(1);
    }
    expect(tries).to.equal(4);
    await dispatcher.stop();
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['dispatching failed; trying again']);
  });
});
