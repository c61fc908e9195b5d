import { expect } from 'chai';
import { accepted } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { setUp } from '../support/processes/set-up.ts';

describe('Waiting requests', () => {
  it('are refused beyond MAX_WAITERS, while other requests are answered', async () => {
    await using it = await setUp({ running: ['gateway'], env: { MAX_WAITERS: '1' } });
    const waitingPath = await accepted(it, '/listar_archivos');
    const cancelledPath = await accepted(it, '/listar_archivos');
    await fetch(it.url + cancelledPath.replace('/respuesta', ''), { method: 'DELETE' });

    const first = it.get(waitingPath, { prefer: 'wait=50' });
    await eventually(async () => (await it.get(waitingPath, { prefer: 'wait=1' })).status === 503);
    const refused = await it.get(waitingPath, { prefer: 'wait=50', 'accept-language': 'en' });
    expect(refused.status).to.equal(503);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(1, 60);
    expect(await refused.json()).to.include({
      type: '/problemas/demasiadas-esperas',
      title: 'Too many waiting clients',
    });

    expect((await it.get(waitingPath)).status).to.equal(202);
    expect((await it.get(cancelledPath, { prefer: 'wait=50' })).status).to.equal(410);
    // A committed request is never refused: its 202 has the id, and Preference-Applied lacks the wait.
    const queued = await it.get('/listar_archivos', { prefer: 'respond-async, wait=50' });
    expect(queued.status).to.equal(202);
    expect(queued.headers.get('preference-applied')).to.equal('respond-async');

    await fetch(it.url + waitingPath.replace('/respuesta', ''), { method: 'DELETE' });
    expect((await first).status).to.equal(410);
    expect((await it.get(cancelledPath, { prefer: 'wait=50' })).status).to.equal(410);
  });
});
