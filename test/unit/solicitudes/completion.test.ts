import { expect } from 'chai';
import { createMetrics } from '../../../gateway/metrics/metrics.ts';
import { listarArchivos } from '../../../gateway/operations/listar-archivos.ts';
import type { Operation } from '../../../gateway/operations/operation.ts';
import { createCompletion } from '../../../gateway/solicitudes/completion.ts';
import { silent } from '../../support/clients/amqp-requester.ts';
import { acceptance } from '../../support/ledger/ledger-calls.ts';
import { MemoryLedger } from '../../support/ledger/memory-ledger.ts';

describe('completion', () => {
  it('ends a solicitud as fallida when its answer cannot be rendered', async () => {
    const ledger = new MemoryLedger({ maxRows: 10, maxBytes: 1_000_000 });
    await ledger.accept(acceptance({ id: 'a' }));
    const row = await ledger.get('a');
    if (row === undefined) throw new Error('It was not accepted');
    const operation = () => listarArchivos as Operation;
    const now = () => 5_000;
    const completion = createCompletion({ ledger, operation, metrics: createMetrics(), log: silent, now });
    await completion.complete(row, { ok: true, response: { archivos: undefined } });
    expect((await ledger.get('a'))?.state).to.equal('fallida');
  });
});
