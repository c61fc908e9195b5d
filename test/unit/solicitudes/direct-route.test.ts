import { expect } from 'chai';
import { pino } from 'pino';
import type { CallResult, ServiceClient } from '../../../gateway/calls/service-client.ts';
import { createMetrics } from '../../../gateway/metrics/metrics.ts';
import { listarArchivos } from '../../../gateway/operations/listar-archivos.ts';
import type { Operation } from '../../../gateway/operations/operation.ts';
import { createCompletion } from '../../../gateway/solicitudes/completion.ts';
import { createDirectRoute } from '../../../gateway/solicitudes/direct-route.ts';
import type { DispatchRoute } from '../../../gateway/solicitudes/dispatcher.ts';
import { Status } from '../../../runtime/status.ts';
import { acceptance } from '../../support/ledger/ledger-calls.ts';
import { MemoryLedger } from '../../support/ledger/memory-ledger.ts';
import { eventually } from '../../support/processes/eventually.ts';

const refused: CallResult = {
  kind: 'unreachable',
  address: 'mserv1:5001',
  proxyError: 'destination_unavailable',
  failure: {
    code: Status.UNAVAILABLE,
    message: 'not yet',
    origin: 'server',
    sent: true,
    cancelledByUs: false,
  },
};
const notFound: CallResult = {
  kind: 'verdict',
  address: 'mserv1:5001',
  ok: false,
  code: Status.NOT_FOUND,
  message: 'carpeta-no-encontrada: no',
};

describe('the direct route', () => {
  let ledger: MemoryLedger;
  let stopping: AbortController;
  const now = () => 10_000;

  function routeTo(answer: CallResult): DispatchRoute {
    const log = pino({ level: 'silent' });
    const operation = () => listarArchivos as Operation;
    const client = { reachable: true, call: async () => answer } as unknown as ServiceClient;
    return createDirectRoute({
      ledger,
      client,
      operation,
      completion: createCompletion({ ledger, metrics: createMetrics(), operation, log, now }),
      log,
      now,
    });
  }

  beforeEach(async () => {
    stopping = new AbortController();
    ledger = new MemoryLedger({ maxRows: 100, maxBytes: 1_000_000 });
    for (const id of ['a', 'b', 'c', 'd']) await ledger.accept(acceptance({ id }));
  });

  it('has no room for more rows for a while when the service answers UNAVAILABLE', async () => {
    const route = routeTo(refused);
    const rows = await ledger.claim('mserv1', now(), now() + 5_000, route.room);
    const done: string[] = [];
    const dispatched = route.dispatch(rows, { done: (id) => done.push(id) }, stopping.signal);
    await eventually(() => done.length === rows.length);
    expect(route.room).to.equal(0);
    // The rows are deferred, not held: they become due again by themselves.
    expect(await ledger.nextDue('mserv1')).to.equal(now() + 1_000);
    stopping.abort();
    await dispatched;
    expect(route.room).to.equal(rows.length);
  });

  it('has room for another row as soon as one is answered', async () => {
    const route = routeTo(notFound);
    const rows = await ledger.claim('mserv1', now(), now() + 5_000, route.room);
    const rooms: number[] = [];
    await route.dispatch(rows, { done: () => rooms.push(route.room) }, stopping.signal);
    expect(rooms).to.deep.equal([1, 2, 3, 4]);
    expect(await ledger.nextDue('mserv1')).to.equal(undefined);
  });
});
