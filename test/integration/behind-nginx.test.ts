import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect } from 'chai';
import { eventsIn } from '../support/clients/event-stream.ts';
import { openLive } from '../support/clients/live-client.ts';
import { type SetUp, setUp, stablePort } from '../support/processes/set-up.ts';
import { nginxMissing, startNginx } from '../support/servers/nginx.ts';

const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

describe('Behind nginx, configured as docs/operations.md shows', () => {
  let archivero: SetUp;
  const parts = new AsyncDisposableStack();
  let url: string;

  before(async function () {
    const missing = nginxMissing();
    if (missing !== undefined) {
      console.log(`    skipped: ${missing}`);
      this.skip();
    }
    archivero = parts.use(
      await setUp({
        env: {
          TRUSTED_PROXIES: '127.0.0.1',
          GATEWAY_ALLOWED_HOSTS: 'archivos.example.org',
          RABBITMQ_URL: '',
        },
      }),
    );
    for (let n = 0; n < 100; n++) writeFileSync(`${archivero.root}/archivo ${n}.txt`, '');
    const port = await stablePort();
    url = `http://127.0.0.1:${port}`;
    const [, shown = ''] = /^```nginx\n(.+?)^```$/ms.exec(page) ?? [];
    const config = shown
      .replace('http://127.0.0.1:5000', archivero.url)
      .replace('listen 80', `listen 127.0.0.1:${port}`);
    parts.use(await startNginx(config, port));
  });
  after(async () => {
    await parts.disposeAsync();
  });

  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(url + path, { headers: { 'accept-encoding': 'br', ...headers } });

  it('answers have their codings, validators and links', async () => {
    const first = await get('/listar_archivos?limite=50');
    expect(first.headers.get('content-encoding')).to.equal('br');
    expect(first.headers.get('vary')).to.equal('Accept, Accept-Encoding');
    const etag = first.headers.get('etag') ?? '';
    for (const [condition, status] of [
      [{ 'if-none-match': etag }, 304],
      // Made weak by a proxy that compresses.
      [{ 'if-none-match': `W/${etag}` }, 304],
      [{ 'if-match': etag }, 200],
      [{ 'if-match': '"x"' }, 412],
    ] as [Record<string, string>, number][]) {
      expect((await get('/listar_archivos?limite=50', condition)).status).to.equal(status);
    }
    const next = /^<([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const names = ((await (await get(next)).json()) as { archivos: object[] }).archivos;
    expect(names).to.have.length(50);
  });

  it('the caller is the client: its address, its scheme and host, and not the rights of this machine', async () => {
    const headers = { host: 'archivos.example.org', 'x-request-id': 'por-nginx' };
    const req = request(`${url}/postman.json`, { headers }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    const { variable } = (await json(res)) as { variable: { value: string }[] };
    expect(variable[0]?.value).to.equal('http://archivos.example.org');
    const line = await archivero.processes
      .get('gateway')
      ?.waitFor(({ msg, requestId }) => msg === 'request' && requestId === 'por-nginx');
    expect(line).to.include({ address: '127.0.0.1' });
    // From a page of this site, so the scope is what is missing.
    const push = await fetch(`${url}/apis/queue/pop`, { method: 'POST', headers: { origin: url } });
    expect(push.status).to.equal(403);
    expect(await push.json()).to.include({ type: '/problemas/falta-permiso' });
  });

  it('searches as one types', async () => {
    using live = await openLive(url);
    live.ask({ numero: 1, nombre: 'archivo 7', modo: 'exacto' });
    expect(await live.next()).to.include({ numero: 1 });
  });

  it('follows a solicitud to its end: its events, and its answer as soon as it is there', async () => {
    await archivero.end('mserv1');
    const accepted = await get('/v1/listar_archivos?limite=2', { prefer: 'respond-async' });
    expect(accepted.status).to.equal(202);
    const path = accepted.headers.get('location') ?? '';
    expect(path).to.match(/^\/v1\/solicitudes\//);
    const events = eventsIn(await get(`${path}/eventos`));
    expect((await events.next()).value).to.have.nested.property('data.estado', 'aceptada');
    const answer = get(`${path}/respuesta`, { prefer: 'wait=50' });
    await archivero.start('mserv1');
    expect((await events.next()).value).to.have.nested.property('data.estado', 'completada');
    expect((await events.next()).done).to.equal(true);
    expect((await answer).status).to.equal(200);
  });

  it('cuts a stream that the gateway could not finish', async () => {
    await archivero.end('mserv1');
    const accepted = await get('/listar_archivos?limite=3', { prefer: 'respond-async' });
    const events = eventsIn(await get(`${accepted.headers.get('location')}/eventos`));
    expect((await events.next()).value).to.have.nested.property('data.estado', 'aceptada');
    await archivero.end('gateway');
    const end = await events.next().catch((error: unknown) => error);
    expect(end).to.be.an.instanceOf(Error);
  });
});
