import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { accepted, answerAt, identityOf } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { setUp } from '../support/processes/set-up.ts';
import { startRabbit } from '../support/servers/rabbitmq.ts';

describe('Accepted requests', () => {
  it('are all answered after gateway, mserv1 and broker are killed at once', async () => {
    const rabbit = await startRabbit();
    try {
      await using it = await setUp({ env: { RABBITMQ_URL: rabbit.url } });
      const paths = Array.from({ length: 500 }, (_, n) => {
        mkdirSync(join(it.root, String(n)));
        writeFileSync(join(it.root, String(n), `fichero ${n}`), '');
        return `/listar_archivos?ruta=${n}`;
      });
      const where: string[] = [];
      // Half are sent while the service runs, so that work, replies and acks are in flight at the kill.
      const ask = async (path: string): Promise<void> => {
        where.push(await accepted(it, path, { prefer: 'respond-async' }));
      };
      await it.end('mserv1');
      await Promise.all(paths.slice(0, 250).map(ask));
      await it.start('mserv1');
      await Promise.all(paths.slice(250).map(ask));
      await Promise.all([it.end('gateway'), it.end('mserv1'), rabbit.kill()]);
      await Promise.all([it.start('gateway'), it.start('mserv1'), rabbit.restart()]);
      const answers = await Promise.all(where.map((path) => answerAt(it, path)));
      expect(answers.map((answer) => answer.status)).to.deep.equal(paths.map(() => 200));
      for (const [n, answer] of answers.entries()) {
        const { solicitud } = (await (await it.get((where[n] ?? '').replace('/respuesta', ''))).json()) as {
          solicitud: { estado: string };
        };
        expect(solicitud.estado).to.equal('completada');
        const body = JSON.parse((await identityOf(answer)).body) as { archivos: { ruta: string }[] };
        expect(body.archivos).to.have.length(1);
      }
    } finally {
      await rabbit.stop();
    }
  });

  it("are answered after the broker's data is deleted", async () => {
    const rabbit = await startRabbit();
    try {
      await using it = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: rabbit.url } });
      mkdirSync(join(it.root, 'a'));
      const where = await Promise.all(
        Array.from({ length: 50 }, () => accepted(it, '/listar_archivos?ruta=a')),
      );
      const gateway = it.processes.get('gateway');
      await Promise.all(
        where.map((path) =>
          gateway?.waitFor((line) => line.msg === 'published' && path.includes(String(line['id']))),
        ),
      );
      await rabbit.wipe();
      await rabbit.restart();
      await it.start('mserv1', { MSERV1_GRPC: 'off' });
      for (const path of where) expect((await answerAt(it, path)).status).to.equal(200);
    } finally {
      await rabbit.stop();
    }
  });

  it('replace the direct answer after one deadline while the service is frozen, and the next one at once', async () => {
    await using it = await setUp({ env: { GRPC_DEADLINE_MS: '2000' } });
    await eventually(async () => (await it.get('/listar_archivos')).status === 200);
    const mserv1 = it.processes.get('mserv1');
    mserv1?.pause();
    // After this answer the gateway has read all that mserv1 sent before its pause.
    await it.get('/metrics');
    const where = await accepted(it, '/listar_archivos');
    const next = await it.get('/listar_archivos');
    expect(next.status).to.equal(202);
    const metrics = await (await it.get('/metrics')).text();
    expect(metrics).to.match(/rpc_duration_seconds_count\{.*ListarArchivos",code="DEADLINE_EXCEEDED"\} 1$/m);
    mserv1?.resume();
    expect((await answerAt(it, where)).status).to.equal(200);
  });

  it('replace the direct answers of calls whose service is killed in mid-call', async () => {
    await using it = await setUp();
    for (let n = 0; n < 2000; n++) writeFileSync(join(it.root, `f${n}`), '');
    const requests = 64;
    it.processes.get('mserv1')?.pause();
    const inFlight = Promise.all(
      Array.from({ length: requests }, () => it.get('/listar_archivos?limite=2000')),
    );
    await eventually(async () => {
      const text = await (await it.get('/metrics')).text();
      return Number(/^archivero_http_requests_in_flight (\d+)$/m.exec(text)?.[1]) > requests;
    });
    await it.end('mserv1');
    const answers = await inFlight;
    await it.start('mserv1');
    const errors = answers.map((answer) => answer.headers.get('proxy-status') ?? '');
    expect(errors.filter((error) => error.includes('connection_terminated'))).to.not.be.empty;
    for (const answer of answers) {
      expect(answer.status).to.equal(202);
      const { enlaces } = (await answer.json()) as { enlaces: { respuesta: string } };
      expect((await answerAt(it, enlaces.respuesta)).status).to.equal(200);
    }
  });
});
