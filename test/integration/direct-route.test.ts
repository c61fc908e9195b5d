import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { createServiceClient } from '../../gateway/calls/load-balanced-client.ts';
import { createMetrics } from '../../gateway/metrics/metrics.ts';
import { services } from '../../gateway/services.ts';
import { createCompletion } from '../../gateway/solicitudes/completion.ts';
import { createDirectRoute } from '../../gateway/solicitudes/direct-route.ts';
import type { Solicitud } from '../../gateway/solicitudes/ledger.ts';
import { silent } from '../support/clients/amqp-requester.ts';
import { acceptance } from '../support/ledger/ledger-calls.ts';
import { MemoryLedger } from '../support/ledger/memory-ledger.ts';
import { eventually } from '../support/processes/eventually.ts';
import { setUp, stablePort } from '../support/processes/set-up.ts';

/** An mserv1 that dies of a request for «veneno». */
const faultyMserv1 = 'test/faults/harness/faulty-mserv1.ts';
const ids = ['antes', 'poco antes', 'veneno', 'después'];

describe('The direct route', () => {
  it('ends the request that kills the service as fallida, and answers those called beside it', async () => {
    const port = await stablePort();
    await using it = await setUp({ running: [], env: { MSERV1_PORT: String(port) } });
    const [operation] = services.flatMap(({ operations }) => operations);
    const ledger = new MemoryLedger({ maxRows: 100, maxBytes: 1_000_000 });
    for (const id of ids) {
      mkdirSync(join(it.root, id));
      const fields = {
        id,
        request: JSON.stringify({ ruta: id, limite: 10 }),
        expiresAt: Date.now() + 60_000,
      };
      await ledger.accept(acceptance(fields));
    }
    const address = `127.0.0.1:${port}`;
    const client = createServiceClient({
      service: 'mserv1',
      addresses: address,
      deadlineMs: 30_000,
      log: silent,
    });
    const find = () => operation;
    const completion = createCompletion({
      ledger,
      operation: find,
      metrics: createMetrics(),
      log: silent,
      now: Date.now,
    });
    const route = createDirectRoute({
      ledger,
      client,
      completion,
      operation: find,
      log: silent,
      now: Date.now,
    });
    const open = async (): Promise<Solicitud[]> =>
      (await Promise.all(ids.map((id) => ledger.get(id)))).filter(
        (row) => row !== undefined && row.closedAt === undefined,
      ) as Solicitud[];
    await client.start();
    try {
      // Dispatches open rows as the dispatcher does, without its pauses.
      for (let rows = await open(); rows.length > 0; rows = await open()) {
        const mserv1 = await it.start('mserv1', {}, faultyMserv1);
        await eventually(() => client.reachable);
        await route.dispatch(rows, { done: () => {} }, new AbortController().signal);
        if ((await open()).length > 0) await mserv1.exited;
      }
    } finally {
      await client.stop();
    }
    const states = await Promise.all(ids.map(async (id) => (await ledger.get(id))?.state));
    expect(states).to.deep.equal(ids.map((id) => (id === 'veneno' ? 'fallida' : 'completada')));
    expect((await ledger.get('veneno'))?.interruptions).to.equal(5);
  });
});
