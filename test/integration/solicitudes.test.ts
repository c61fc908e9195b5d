import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { eventsIn, type StreamEvent } from '../support/clients/event-stream.ts';
import { accepted, answerAt, identityOf } from '../support/ledger/accepted.ts';
import { eventually } from '../support/processes/eventually.ts';
import { ownVhost, type SetUp, setUp } from '../support/processes/set-up.ts';
import { sharedRabbit } from '../support/servers/rabbitmq.ts';
import { failRequests } from '../support/services/failing-worker.ts';

interface Listed {
  readonly id: string;
  readonly estado: string;
  readonly peticion: string;
  readonly reintento_de?: string;
  readonly enlaces: Readonly<Record<string, string>>;
}

interface Page {
  readonly solicitudes: readonly Listed[];
  readonly siguiente: string | null;
}

interface Description {
  readonly solicitud: {
    readonly id: string;
    readonly estado: string;
    readonly reintento_de?: string;
    readonly historia: readonly { readonly estado: string; readonly momento: string }[];
  };
  readonly enlaces: Readonly<Record<string, string>>;
}

const json = async <Body>(answer: Response): Promise<Body> => (await answer.json()) as Body;
const stateAt = (answerPath: string): string => answerPath.replace('/respuesta', '');
const idOf = (answerPath: string): string => answerPath.split('/').at(-2) ?? '';

/** Fetches every page by following `Link`. */
async function pages(it: SetUp, path: string): Promise<Page[]> {
  const all: Page[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer = await it.get(next);
    expect(answer.status, next).to.equal(200);
    all.push(await json<Page>(answer));
    next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return all;
}

describe('GET /solicitudes', () => {
  it('lists accepted requests page by page, newest first', async () => {
    await using it = await setUp({ running: ['gateway'] });
    const answerPaths: string[] = [];
    for (let n = 0; n < 7; n++) answerPaths.push(await accepted(it, `/listar_archivos?ruta=${n}`));
    const cancelled = it.url + stateAt(answerPaths[2] ?? '');
    for (const condition of [{ 'if-match': '"x"' }, { 'if-none-match': '*' }] as Record<string, string>[]) {
      expect((await fetch(cancelled, { method: 'DELETE', headers: condition })).status).to.equal(412);
    }
    expect((await it.get(`${stateAt(answerPaths[2] ?? '')}/eventos`, { 'if-match': '"x"' })).status).to.equal(
      412,
    );
    expect(await (await fetch(cancelled)).json()).to.have.nested.property('solicitud.estado', 'aceptada');
    await fetch(cancelled, { method: 'DELETE' });

    const all = await json<Page>(await it.get('/solicitudes'));
    expect(all.solicitudes.map(({ id }) => id)).to.have.members(answerPaths.map(idOf));
    expect(all.solicitudes.map(({ id }) => id)).to.deep.equal(
      all.solicitudes.map(({ id }) => id).toSorted((a, b) => (a < b ? 1 : -1)),
    );
    expect(all.siguiente).to.equal(null);
    const third = all.solicitudes.find(({ id }) => id === idOf(answerPaths[2] ?? ''));
    expect(third).to.deep.include({ estado: 'cancelada', peticion: '/listar_archivos?ruta=2' });
    expect(third?.enlaces).to.deep.equal({
      estado: stateAt(answerPaths[2] ?? ''),
      respuesta: answerPaths[2],
      eventos: `${stateAt(answerPaths[2] ?? '')}/eventos`,
    });

    const byTwo = await pages(it, '/v1/solicitudes?limite=2');
    expect(byTwo.map(({ solicitudes }) => solicitudes.length)).to.deep.equal([2, 2, 2, 1]);
    expect(byTwo.flatMap(({ solicitudes }) => solicitudes.map(({ id }) => id))).to.deep.equal(
      all.solicitudes.map(({ id }) => id),
    );
    expect(byTwo[0]?.solicitudes[0]?.enlaces['estado']).to.match(/^\/v1\/solicitudes\//);
    const open = await pages(it, '/solicitudes?estado=aceptada&limite=4');
    expect(open.map(({ solicitudes }) => solicitudes.length)).to.deep.equal([4, 2]);
    expect((await pages(it, '/solicitudes?estado=vencida'))[0]?.solicitudes).to.deep.equal([]);
    expect((await pages(it, '/cuarentena'))[0]?.solicitudes).to.deep.equal([]);
  });

  it('refuses unknown parameters, and cursors that are cut, altered or from another list', async () => {
    await using it = await setUp({ running: ['gateway'] });
    for (let n = 0; n < 3; n++) await accepted(it, '/listar_archivos');
    const { siguiente } = await json<Page>(await it.get('/solicitudes?limite=1'));
    const cursor = siguiente ?? '';
    const flipped = cursor.slice(0, 5) + (cursor[5] === 'A' ? 'B' : 'A') + cursor.slice(6);
    expect((await it.get(`/solicitudes?limite=2&cursor=${cursor}`)).status).to.equal(200);
    for (const [path, type] of [
      ['/solicitudes?estado=perdida', 'parametros-no-validos'],
      ['/solicitudes?limite=0', 'parametros-no-validos'],
      ['/solicitudes?limite=1001', 'parametros-no-validos'],
      ['/solicitudes?orden=nombre', 'parametros-no-validos'],
      ['/cuarentena?estado=fallida', 'parametros-no-validos'],
      [`/solicitudes?cursor=${cursor.slice(0, -1)}`, 'cursor-no-valido'],
      [`/solicitudes?cursor=${flipped}`, 'cursor-no-valido'],
      [`/solicitudes?cursor=${cursor}=`, 'cursor-no-valido'],
      [`/solicitudes?estado=aceptada&cursor=${cursor}`, 'cursor-no-valido'],
      [`/cuarentena?cursor=${cursor}`, 'cursor-no-valido'],
      ['/solicitudes?cursor=%C3%B1', 'cursor-no-valido'],
    ]) {
      const answer = await it.get(path ?? '');
      expect(answer.status, path).to.equal(400);
      expect(await answer.json(), path).to.include({ type: `/problemas/${type}` });
    }
  });
});

describe('Idempotency-Key', () => {
  it('gives each key one solicitud, and stores no key for a direct answer', async () => {
    await using it = await setUp({ running: ['gateway'] });
    mkdirSync(join(it.root, 'a'));
    const ask = (path: string, headers: Record<string, string> = {}) =>
      it.get(path, { 'idempotency-key': 'clave-1', ...headers });
    const answerPath = await accepted(it, '/listar_archivos?ruta=a&limite=5', {
      'idempotency-key': 'clave-1',
    });
    // Two spellings of one request.
    for (const path of ['/listar_archivos?ruta=a&limite=5', '/v1/listar_archivos?limite=5&ruta=%61']) {
      const again = await ask(path, { 'idempotency-key': '"clave-1"' });
      expect(again.status).to.equal(202);
      expect((await json<Description>(again)).solicitud.id).to.equal(idOf(answerPath));
    }
    for (const path of [
      '/listar_archivos?ruta=b&limite=5',
      '/listar_archivos?ruta=a&limite=5&formato=nombres',
      '/buscar_archivos?ruta=a',
    ]) {
      const other = await ask(path, { 'accept-language': 'en' });
      expect(other.status, path).to.equal(422);
      expect(await other.json()).to.include({
        type: '/problemas/clave-de-idempotencia-reutilizada',
        title: 'Idempotency-Key already used',
      });
    }
    expect((await ask('/listar_archivos', { 'idempotency-key': 'con espacio' })).status).to.equal(400);
    const others = ['clave-2', 'clave-3'].map((key) =>
      accepted(it, '/listar_archivos?ruta=a&limite=5', { 'idempotency-key': key }),
    );
    expect(new Set([answerPath, ...(await Promise.all(others))]).size).to.equal(3);

    await it.start('mserv1');
    const answer = await identityOf(await answerAt(it, answerPath));
    expect(answer.status).to.equal(200);
    // The service is back, but the key still leads to its solicitud.
    const done = await ask('/listar_archivos?ruta=a&limite=5');
    expect(done.status).to.equal(202);
    expect((await json<Description>(done)).solicitud).to.include({
      id: idOf(answerPath),
      estado: 'completada',
    });
    const waited = await ask('/listar_archivos?ruta=a&limite=5', { prefer: 'wait=5' });
    expect(waited.headers.get('content-location')).to.equal(answerPath);
    expect(waited.headers.get('servido-por')).to.equal('cola');
    expect(await identityOf(waited)).to.deep.equal(answer);

    // After a direct answer, another request may use the key.
    await eventually(async () => {
      const head = await fetch(`${it.url}/listar_archivos`, { method: 'HEAD' });
      return head.status === 200;
    });
    const direct = await ask('/listar_archivos', { 'idempotency-key': 'clave-4' });
    expect(direct.headers.get('servido-por')).to.equal('grpc');
    const another = await ask('/listar_archivos?ruta=a', { 'idempotency-key': 'clave-4' });
    expect(another.headers.get('servido-por')).to.equal('grpc');
  });

  it('gives 30 simultaneous requests one solicitud, also after kill -9', async () => {
    await using it = await setUp({ running: ['gateway'] });
    const ask = () =>
      it
        .get('/listar_archivos', { 'idempotency-key': 'a', prefer: 'respond-async' })
        .then(async (answer) => (await json<Description>(answer)).solicitud.id);
    const ids = await Promise.all(Array.from({ length: 30 }, ask));
    expect(new Set(ids).size).to.equal(1);
    await it.end('gateway');
    await it.start('gateway');
    expect(await ask()).to.equal(ids[0]);
    expect((await json<Page>(await it.get('/solicitudes'))).solicitudes).to.have.length(1);
  });
});

describe('GET /solicitudes/{id}/eventos', () => {
  const follow = (it: SetUp, answerPath: string, headers: Record<string, string> = {}) =>
    it.get(`${stateAt(answerPath)}/eventos`, headers);
  const allOf = async (answer: Response): Promise<StreamEvent[]> => {
    const all: StreamEvent[] = [];
    for await (const event of eventsIn(answer)) all.push(event);
    return all;
  };

  it('sends every change of state once, in order, and ends after the final one', async () => {
    const { url } = await ownVhost(await sharedRabbit());
    await using it = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: url } });
    const answerPath = await accepted(it, '/listar_archivos');
    const answer = await follow(it, answerPath);
    expect(answer.status).to.equal(200);
    expect(answer.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
    expect(answer.headers.get('cache-control')).to.equal('no-store');
    const received: StreamEvent[] = [];
    for await (const event of eventsIn(answer)) {
      received.push(event);
      if (received.length === 2) await it.start('mserv1');
    }
    const { solicitud } = await json<Description>(await it.get(stateAt(answerPath)));
    expect(solicitud.historia.map(({ estado }) => estado)).to.deep.equal([
      'aceptada',
      'encolada',
      'completada',
    ]);
    expect(received).to.deep.equal(solicitud.historia.map((data, index) => ({ id: String(index), data })));

    // Last-Event-ID resumes the stream; after the final event the answer is 204.
    expect(await allOf(await follow(it, answerPath))).to.deep.equal(received);
    expect(await allOf(await follow(it, answerPath, { 'last-event-id': '0' }))).to.deep.equal(
      received.slice(1),
    );
    expect(await allOf(await follow(it, answerPath, { 'last-event-id': 'otra cosa' }))).to.deep.equal(
      received,
    );
    expect((await follow(it, answerPath, { 'last-event-id': '2' })).status).to.equal(204);
    const head = await fetch(`${it.url}${stateAt(answerPath)}/eventos`, { method: 'HEAD' });
    expect(head.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8');
    expect((await follow(it, '/solicitudes/019a0000-0000-7000-8000-000000000000')).status).to.equal(404);
  });

  it('refuses streams beyond MAX_EVENT_STREAMS, and opens one again after another closed', async () => {
    await using it = await setUp({ running: ['gateway'], env: { MAX_EVENT_STREAMS: '1' } });
    const answerPath = await accepted(it, '/listar_archivos');
    const first = await follow(it, answerPath);
    const refused = await follow(it, answerPath);
    expect(refused.status).to.equal(503);
    expect(refused.headers.get('retry-after')).to.not.equal(null);
    await first.body?.cancel();
    await eventually(async () => {
      const second = await follow(it, answerPath);
      await second.body?.cancel();
      return second.status === 200;
    });
  });

  it('ends when the gateway stops', async () => {
    await using it = await setUp({ running: ['gateway'] });
    const answerPath = await accepted(it, '/listar_archivos');
    const events = allOf(await follow(it, answerPath));
    await it.end('gateway', 'SIGTERM');
    expect(await events).to.have.length(1);
  });
});

describe('The quarantine', () => {
  it('lists failed solicitudes, and retries one as a new solicitud', async () => {
    const { url } = await ownVhost(await sharedRabbit());
    await using it = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: url } });
    mkdirSync(join(it.root, 'a'));
    writeFileSync(join(it.root, 'a', 'uno'), '1');
    const path = '/v1/listar_archivos?ruta=a&formato=nombres';
    const answerPath = await accepted(it, path);
    const open = await accepted(it, '/buscar_archivos');
    await eventually(async () => {
      const { solicitud } = await json<Description>(await it.get(stateAt(answerPath)));
      return solicitud.estado === 'encolada';
    });
    await failRequests(url, 'mserv1', 1);
    await eventually(async () => (await it.get(answerPath)).status === 502);

    const [page] = await pages(it, '/cuarentena');
    expect(page?.solicitudes).to.have.length(1);
    expect(page?.solicitudes[0]).to.include({ id: idOf(answerPath), estado: 'fallida', peticion: path });
    const retryAt = page?.solicitudes[0]?.enlaces['reintentar'] ?? '';
    expect(retryAt).to.equal(`/cuarentena/${idOf(answerPath)}/reintentar`);
    const post = (at: string, headers: Record<string, string> = {}) =>
      fetch(it.url + at, { method: 'POST', headers });

    expect((await it.get(retryAt)).status).to.equal(405);
    const retryOfOpen = await post(`/cuarentena/${idOf(open)}/reintentar`);
    expect(retryOfOpen.status).to.equal(409);
    expect(await retryOfOpen.json()).to.include({ type: '/problemas/solicitud-no-fallida' });
    expect((await post('/cuarentena/019a0000-0000-7000-8000-000000000000/reintentar')).status).to.equal(404);

    for (const etag of ['"x"', '*']) {
      const conditional = await post(retryAt, { 'idempotency-key': 'reintento', 'if-match': etag });
      expect(conditional.status).to.equal(412);
    }
    const retry = await post(retryAt, { 'idempotency-key': 'reintento' });
    expect(retry.status).to.equal(202);
    const { solicitud, enlaces } = await json<Description>(retry);
    expect(retry.headers.get('location')).to.equal(enlaces['estado']);
    expect(solicitud).to.include({ reintento_de: idOf(answerPath), estado: 'aceptada' });
    const again = await json<Description>(await post(retryAt, { 'idempotency-key': 'reintento' }));
    expect(again.solicitud.id).to.equal(solicitud.id);

    await it.start('mserv1');
    const answer = await answerAt(it, enlaces['respuesta'] as string);
    const condition = { 'if-none-match': '*', prefer: 'wait=10', 'idempotency-key': 'reintento' };
    expect((await post(retryAt, condition)).status).to.equal(200);
    // The queue may reach the service before the breaker closes.
    await eventually(async () => (await it.get(path)).status === 200);
    expect(await identityOf(answer)).to.deep.equal(await identityOf(await it.get(path)));
    // The failed solicitud stays unchanged.
    expect((await it.get(answerPath)).status).to.equal(502);
    expect((await pages(it, '/cuarentena'))[0]?.solicitudes).to.have.length(1);
  });
});
