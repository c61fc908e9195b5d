import { expect } from 'chai';
import { accepted, answerAt, identityOf } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { startProcess } from '../support/processes/processes.ts';
import { ownVhost, setUp } from '../support/processes/set-up.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';

describe('A third microservice', () => {
  it('gets its route, probe, variables, queues and fallback from one entry in the registry', async () => {
    const vhost = await ownVhost(await sharedRabbit());
    await using it = await setUp({ running: [], env: { RABBITMQ_URL: vhost.url } });
    const first = await startProcess('examples/juegos/main.ts', { JUEGOS_PORT: '0' });
    const port = String(first.port);
    await it.start('gateway', { JUEGOS_URL: `127.0.0.1:${port}` }, 'examples/juegos/gateway.ts');
    const direct = await it.get('/listar_juegos?jugadores=4');
    expect(direct.headers.get('servido-por')).to.equal('grpc');
    const identity = await identityOf(direct);
    expect(identity.body).to.include('Mus');
    expect(await (await it.get('/salud')).json())
      .to.have.nested.property('servicios.juegos.estado')
      .that.equals('sano');
    await first.kill();
    const answerPath = await accepted(it, '/listar_juegos?jugadores=4');
    const second = await startProcess('examples/juegos/main.ts', {
      JUEGOS_GRPC: 'off',
      RABBITMQ_URL: vhost.url,
    });
    try {
      const answer = await answerAt(it, answerPath);
      expect(answer.headers.get('servido-por')).to.equal('cola');
      // `identityOf` decodes bodies as Latin-1, so they are compared byte by byte.
      expect(await identityOf(answer)).to.deep.equal(identity);
      await eventually(async () => (await vhost.messages('archivero.juegos.v1')) === 0);
    } finally {
      await second.stop();
    }
  });
});
