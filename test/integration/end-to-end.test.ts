import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { accepted, answerAt, identityOf } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { ownVhost, type SetUp, setUp } from '../support/processes/set-up.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';

/** Creates folders whose listings all differ; returns the paths to list them. */
function folders(it: SetUp, count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => {
    const folder = `carpeta ${n} ñ`;
    mkdirSync(join(it.root, folder));
    for (let i = 0; i <= n % 7; i++) writeFileSync(join(it.root, folder, `fichero ${i}.txt`), 'x'.repeat(n));
    return `/listar_archivos?ruta=${encodeURIComponent(folder)}`;
  });
}

/** Waits until the gateway calls mserv1 again. A HEAD is never queued. */
async function reachable(it: SetUp): Promise<void> {
  await eventually(async () => (await fetch(`${it.url}/listar_archivos`, { method: 'HEAD' })).status === 200);
}

describe('Archivero', () => {
  it('lists and searches by gRPC while both services run', async () => {
    await using it = await setUp();
    mkdirSync(join(it.root, 'año'));
    writeFileSync(join(it.root, 'año', 'Informe Técnico.pdf'), 'x');
    const list = await it.get('/listar_archivos?ruta=a%C3%B1o');
    expect(list.status).to.equal(200);
    expect(list.headers.get('servido-por')).to.equal('grpc');
    expect(await list.json())
      .to.have.property('archivos')
      .that.has.deep.property('0')
      .that.includes({
        nombre: 'Informe Técnico.pdf',
        ruta: 'año/Informe Técnico.pdf',
        tipo: 'archivo',
        bytes: 1,
      });
    const found = await it.get('/v1/buscar_archivos?nombre=informe%20tecnico&formato=nombres&limite=1');
    expect(await found.json()).to.deep.equal(['Informe Técnico.pdf']);
  });

  it('answers a wrong request with a problem that shows no path of the machine', async () => {
    await using it = await setUp();
    writeFileSync(join(it.root, 'fichero'), 'x');
    const cases: readonly [string, number][] = [
      ['/listar_archivos?ruta=..', 400],
      ['/listar_archivos?ruta=%2e%2e%2f', 400],
      ['/listar_archivos?ruta=/etc', 400],
      ['/listar_archivos?ruta=a%00b', 400],
      ['/listar_archivos?ruta=fichero', 400],
      ['/listar_archivos?ruta=nada', 404],
      ['/listar_archivos?limite=NaN', 400],
      ['/listar_archivos?desconocido=1', 400],
      ['/listar_archivos?cursor=cortado', 400],
      ['/listar_archivos?ruta=%zz', 400],
      ['/buscar_archivos?modo=exacta', 400],
      ['/solicitudes/019a0000-0000-7000-8000-000000000000', 404],
      ['/solicitudes/nada', 404],
      ['/desconocida', 404],
    ];
    for (const [path, status] of cases) {
      const answer = await it.get(path);
      const text = await answer.text();
      expect(answer.status, path).to.equal(status);
      expect(answer.headers.get('content-type'), path).to.match(/^application\/problem\+json/);
      expect(text, path).to.not.include(it.root);
      const english = await it.get(path, { 'accept-language': 'en' });
      expect(((await english.json()) as { title: string }).title, path).to.not.equal(JSON.parse(text).title);
    }
    const wrongMethod = await fetch(`${it.url}/listar_archivos`, { method: 'POST' });
    expect(wrongMethod.status).to.equal(405);
    expect(wrongMethod.headers.get('allow')).to.include('GET');
  });

  it('logs one request id in all three processes', async () => {
    const { url } = await ownVhost(await sharedRabbit());
    await using it = await setUp({ env: { RABBITMQ_URL: url } });
    const direct = 'directa-1';
    await it.get('/listar_archivos', { 'x-request-id': direct });
    await it.get('/buscar_archivos', { 'x-request-id': direct });
    const queued = 'en-cola-1';
    const answerPath = await accepted(it, '/listar_archivos', {
      'x-request-id': queued,
      prefer: 'respond-async',
    });
    await answerAt(it, answerPath);
    const saw = (name: 'gateway' | 'mserv1' | 'mserv2', id: string) =>
      it.processes.get(name)?.waitFor((line) => line.requestId === id);
    await Promise.all([
      saw('gateway', direct),
      saw('mserv1', direct),
      saw('mserv2', direct),
      saw('gateway', queued),
      saw('mserv1', queued),
    ]);
  });

  for (const broker of ['RabbitMQ', 'no broker'] as const) {
    it(`accepts 100 listings while mserv1 is down and answers each as a direct call would, with ${broker}`, async () => {
      const vhost = broker === 'RabbitMQ' ? await ownVhost(await sharedRabbit()) : undefined;
      await using it = await setUp({ env: { RABBITMQ_URL: vhost?.url ?? '' } });
      const paths = [
        ...folders(it, 97),
        '/listar_archivos?ruta=nada',
        '/listar_archivos?formato=nombres&limite=2',
        '/v1/listar_archivos?limite=2&orden=-bytes',
      ];
      await it.end('mserv1');
      const answerPaths = await Promise.all(paths.map((path) => accepted(it, path)));
      if (vhost !== undefined)
        await eventually(async () => (await vhost.messages('archivero.mserv1.v1')) === 100);
      await it.start('mserv1');
      await reachable(it);
      for (const [n, path] of paths.entries()) {
        const answer = await answerAt(it, answerPaths[n] ?? '');
        expect(answer.headers.get('servido-por')).to.equal('cola');
        expect(await identityOf(answer), path).to.deep.equal(await identityOf(await it.get(path)));
      }
      if (vhost !== undefined)
        await eventually(async () => (await vhost.messages('archivero.mserv1.v1')) === 0);
    });
  }

  it('holds a request with Prefer: wait until the service is back', async () => {
    await using it = await setUp({ running: ['gateway', 'mserv2'] });
    const waiting = it.get('/listar_archivos', { prefer: 'wait=50' });
    await it.processes.get('gateway')?.waitFor((line) => line.msg === 'accepted');
    await it.start('mserv1');
    const answer = await waiting;
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('preference-applied')).to.equal('wait=50');
    expect(answer.headers.get('servido-por')).to.equal('cola');
  });

  it('answers through the queue alone when a service has no gRPC listener', async () => {
    const { url } = await ownVhost(await sharedRabbit());
    await using it = await setUp({ env: { RABBITMQ_URL: url, MSERV1_GRPC: 'off' } });
    writeFileSync(join(it.root, 'uno'), '1');
    const answer = await it.get('/listar_archivos?formato=nombres', { prefer: 'wait=20' });
    expect(answer.status).to.equal(200);
    expect(await answer.json()).to.deep.equal(['uno']);
  });

  it('cancels an open solicitud, and no completed one', async () => {
    await using it = await setUp({ running: ['gateway'] });
    const answerPath = await accepted(it, '/listar_archivos');
    const state = answerPath.replace('/respuesta', '');
    const cancel = () => fetch(it.url + state, { method: 'DELETE' });
    expect((await cancel()).status).to.equal(200);
    expect((await cancel()).status).to.equal(200);
    expect((await it.get(answerPath)).status).to.equal(410);
    await it.start('mserv1');
    const answered = await accepted(it, '/listar_archivos', { prefer: 'respond-async' });
    await answerAt(it, answered);
    const lateCancel = await fetch(it.url + answered.replace('/respuesta', ''), { method: 'DELETE' });
    expect(lateCancel.status).to.equal(409);
    expect((await it.get(answerPath)).status).to.equal(410);
  });

  it('starts, is ready and accepts while all other processes are down', async () => {
    await using it = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: 'amqp://127.0.0.1:1' } });
    expect((await it.get('/salud/preparada')).status).to.equal(200);
    expect((await it.get('/salud/viva')).status).to.equal(200);
    expect(await (await it.get('/salud')).json()).to.include({ estado: 'degradado' });
    const answer = await it.get('/listar_archivos');
    expect(answer.status).to.equal(202);
    expect(answer.headers.get('proxy-status')).to.match(
      /^archivero; error=connection_refused; next-hop="127/,
    );
    expect(answer.headers.get('cache-control')).to.equal('no-store');
    expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 60);
    const head = await fetch(`${it.url}/listar_archivos`, { method: 'HEAD' });
    expect(head.status).to.equal(503);
    expect(head.headers.get('retry-after')).to.not.equal(null);
  });

  it('answers 503 with Retry-After, never 202, when the ledger is full', async () => {
    await using it = await setUp({ running: ['gateway'], env: { LEDGER_MAX_ROWS: '2' } });
    await accepted(it, '/listar_archivos');
    await accepted(it, '/listar_archivos');
    const full = await it.get('/listar_archivos');
    expect(full.status).to.equal(503);
    expect(full.headers.get('retry-after')).to.not.equal(null);
    expect(await full.json()).to.include({ type: '/problemas/registro-lleno' });
  });

  it('answers from the other address of a service when the first is gone', async () => {
    await using it = await setUp({ running: ['mserv1'] });
    const first = it.processes.get('mserv1')?.port;
    await using other = await setUp({ running: ['mserv1'] });
    const second = other.processes.get('mserv1')?.port;
    writeFileSync(join(it.root, 'a'), '');
    writeFileSync(join(other.root, 'a'), '');
    await it.start('gateway', { MSERV1_URL: `127.0.0.1:${first},127.0.0.1:${second}` });
    await it.end('mserv1');
    for (let n = 0; n < 4; n++) expect((await it.get('/listar_archivos')).status).to.equal(200);
    expect(await (await it.get('/salud')).json())
      .to.have.nested.property('servicios.mserv1.estado')
      .that.equals('degradado');
  });

  it('answers waiting requests with 202 when the gateway stops', async () => {
    await using it = await setUp({ running: ['gateway'] });
    const waiting = it.get('/listar_archivos', { prefer: 'wait=50' });
    await it.processes.get('gateway')?.waitFor((line) => line.msg === 'accepted');
    await it.end('gateway', 'SIGTERM');
    expect((await waiting).status).to.equal(202);
  });
});
