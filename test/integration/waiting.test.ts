import { expect } from 'chai';
import { accepted } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { setUp } from '../support/processes/set-up.ts';

describe('those who wait', () => {
  it('are no more than MAX_WAITERS; nobody else is the worse for it', async () => {
    await using it = await setUp({ running: ['gateway'], env: { MAX_WAITERS: '1' } });
    const where = await accepted(it, '/listar_archivos');
    const over = await accepted(it, '/listar_archivos');
    await fetch(it.url + over.replace('/respuesta', ''), { method: 'DELETE' });

    const first = it.get(where, { prefer: 'wait=50' });
    await eventually(async () => (await it.get(where, { prefer: 'wait=1' })).status === 503);
    const refused = await it.get(where, { prefer: 'wait=50', 'accept-language': 'en' });
    expect(refused.status).to.equal(503);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(await refused.json()).to.include({
      type: '/problemas/demasiadas-esperas',
      title: 'Too many waiting clients',
    });

    expect((await it.get(where)).status).to.equal(202);
    expect((await it.get(over, { prefer: 'wait=50' })).status).to.equal(410);
    // What is committed is never refused afterwards: its caller gets the id, and is told that nobody waited.
    const queued = await it.get('/listar_archivos', { prefer: 'respond-async, wait=50' });
    expect(queued.status).to.equal(202);
    expect(queued.headers.get('preference-applied')).to.equal('respond-async');

    await fetch(it.url + where.replace('/respuesta', ''), { method: 'DELETE' });
    expect((await first).status).to.equal(410);
    expect((await it.get(over, { prefer: 'wait=50' })).status).to.equal(410);
  });
});
