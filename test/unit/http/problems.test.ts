import { expect } from 'chai';
import Koa from 'koa';
import { BadQueryError } from '../../../gateway/http/bad-query.ts';
import { ProblemError } from '../../../gateway/http/problem.ts';
import { LedgerFullError, LedgerUnavailableError } from '../../../gateway/solicitudes/ledger.ts';
import { type HttpApp, startHttpApp } from '../../support/clients/http-app.ts';

const machinePath = '/srv/secret/file.db';

describe('the error mapping of HTTP', () => {
  let app: HttpApp;
  const thrown: Record<string, () => unknown> = {
    problem: () => new ProblemError('solicitud-terminada', { values: { estado: 'completada' } }),
    query: () =>
      new BadQueryError([
        { parametro: 'limite', motivo: 'entero-entre', valores: { min: 1, max: 9 } },
        { parametro: '"<x>', motivo: 'parametro-desconocido' },
        { parametro: 'otro', motivo: 'de-otra-casa' },
      ]),
    full: () => new LedgerFullError('full'),
    unavailable: () => new LedgerUnavailableError(`cannot open ${machinePath}`),
    koa: () => new Koa.HttpError('teapot'),
    bug: () => new TypeError(`cannot read ${machinePath}`),
    string: () => machinePath,
  };

  before(async () => {
    app = await startHttpApp((router) => {
      for (const [name, make] of Object.entries(thrown)) {
        router.get(`/${name}`, () => {
          throw make();
        });
      }
      router.get('/limit', (ctx) => ctx.throw(413, machinePath));
      router.get('/denied', (ctx) => ctx.throw(401));
      router.get('/odd', (ctx) => ctx.throw(418));
      router.get('/broken', (ctx) => ctx.throw(502, machinePath));
      router.get('/header', (ctx) => {
        ctx.set('Proxy-Status', 'archivero; error=connection_refused');
        throw new ProblemError('servicio-no-disponible', { headers: { 'Retry-After': '7' } });
      });
      router.get('/cut', (ctx) => {
        ctx.res.writeHead(200, { 'content-length': 100 });
        ctx.res.write('half');
        throw new Error('in the middle');
      });
      router.get('/bien', (ctx) => {
        ctx.body = { bien: true };
      });
      router.delete('/bien', (ctx) => {
        ctx.status = 204;
      });
      router.get('/cosas/:id', (ctx) => {
        ctx.body = { id: ctx.params['id'] };
      });
    });
  });
  after(() => app.stop());

  async function get(path: string, init?: RequestInit) {
    const response = await fetch(app.url + path, init);
    return { response, body: JSON.parse(await response.text()) };
  }

  it('sends problem+json with the members of RFC 9457, in Spanish', async () => {
    const { response, body } = await get('/v1/problem?a=1');
    expect(response.status).to.equal(409);
    expect(response.headers.get('content-type')).to.equal('application/problem+json; charset=utf-8');
    expect(response.headers.get('content-language')).to.equal('es');
    expect(response.headers.get('cache-control')).to.equal('no-store');
    expect(body).to.deep.equal({
      type: '/problemas/solicitud-terminada',
      title: 'La solicitud ya terminó',
      status: 409,
      detail: 'La solicitud ya está «completada» y no puede cancelarse.',
      instance: '/v1/problem?a=1',
    });
  });

  it('sends English when Accept-Language prefers it', async () => {
    const { response, body } = await get('/problem', { headers: { 'accept-language': 'en-GB, es;q=0.5' } });
    expect(response.headers.get('content-language')).to.equal('en');
    expect(response.headers.get('vary')).to.equal('Accept-Language');
    expect(body.detail).to.equal('The solicitud is already "completada" and cannot be cancelled.');
  });

  it('lists every bad parameter with its reason', async () => {
    const { response, body } = await get('/query');
    expect(response.status).to.equal(400);
    expect(body.errores).to.deep.equal([
      { parametro: 'limite', motivo: 'Debe ser un número entero entre 1 y 9.' },
      { parametro: '"<x>', motivo: 'Este parámetro no existe.' },
      { parametro: 'otro', motivo: 'El valor no es válido.' },
    ]);
  });

  it('sends 503 with a problem type of its own for a full and for an unavailable ledger', async () => {
    const full = await get('/full');
    expect([full.response.status, full.body.type]).to.deep.equal([503, '/problemas/registro-lleno']);
    const unavailable = await get('/unavailable');
    expect([unavailable.response.status, unavailable.body.type]).to.deep.equal([
      503,
      '/problemas/registro-no-disponible',
    ]);
    expect(unavailable.response.headers.get('retry-after')).to.match(/^\d+$/);
    expect(JSON.stringify(unavailable.body)).not.to.include(machinePath);
  });

  it('keeps the headers that a route set before its problem', async () => {
    const { response } = await get('/header');
    expect(response.status).to.equal(503);
    expect(response.headers.get('proxy-status')).to.equal('archivero; error=connection_refused');
    expect(response.headers.get('retry-after')).to.equal('7');
  });

  it("keeps the 4xx status of Koa's own errors, without their text", async () => {
    const limit = await get('/limit');
    expect([limit.response.status, limit.body.type]).to.deep.equal([
      413,
      '/problemas/cuerpo-demasiado-grande',
    ]);
    expect(JSON.stringify(limit.body)).not.to.include(machinePath);
    const odd = await get('/odd');
    expect([odd.response.status, odd.body.type]).to.deep.equal([400, '/problemas/peticion-no-valida']);
  });

  it("has a challenge in a 401 of Koa's own", async () => {
    const { response } = await get('/denied');
    expect(response.status).to.equal(401);
    expect(response.headers.get('www-authenticate')).to.equal('Bearer realm="archivero"');
  });

  for (const path of ['/bug', '/string', '/broken', '/koa']) {
    it(`sends 500 with only the request id for a bug, and logs the error: ${path}`, async () => {
      const { response, body } = await get(path, { headers: { 'x-request-id': `id-of${path.slice(1)}` } });
      expect(response.status).to.equal(500);
      expect(body.type).to.equal('/problemas/error-interno');
      expect(body.peticion)
        .to.equal(`id-of${path.slice(1)}`)
        .and.equal(response.headers.get('x-request-id'));
      expect(JSON.stringify(body)).not.to.match(/secret|stack|TypeError/);
      const line = app.lines.find(
        (l) => l['msg'] === 'unexpected error; answering 500' && l['requestId'] === body.peticion,
      );
      expect(JSON.stringify(line)).to.include('err');
    });
  }

  it('closes the connection when part of the answer was already sent', async () => {
    const failure = await fetch(`${app.url}/cut`)
      .then((response) => response.text())
      .catch((err: Error) => err);
    expect(failure).to.be.instanceOf(Error);
  });

  it('sends 404 for an unknown path', async () => {
    for (const path of ['/nada', '/v1/nada', '/v1/v1/bien', '//', '//bien', '/v1x', '/V1']) {
      const { response, body } = await get(path);
      expect([path, response.status, body.type]).to.deep.equal([path, 404, '/problemas/ruta-no-encontrada']);
    }
  });

  it('sends 405 with Allow for a wrong method, with and without /v1', async () => {
    for (const path of ['/bien', '/v1/bien']) {
      const { response, body } = await get(path, { method: 'POST', body: 'x' });
      expect(response.status).to.equal(405);
      expect(response.headers.get('allow')).to.equal('GET, HEAD, DELETE, OPTIONS');
      expect(body.detail).to.include('POST').and.include('GET, HEAD, DELETE, OPTIONS');
    }
  });

  it('sends 204 with Allow for OPTIONS of a known path, else 404', async () => {
    const response = await fetch(`${app.url}/bien`, { method: 'OPTIONS' });
    expect(response.status).to.equal(204);
    expect(response.headers.get('allow')).to.equal('GET, HEAD, DELETE, OPTIONS');
    expect((await fetch(`${app.url}/nada`, { method: 'OPTIONS' })).status).to.equal(404);
    const whole = await app.raw('OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(whole)
      .to.match(/^HTTP\/1.1 204 /)
      .and.match(/allow: GET, HEAD, POST/i);
  });

  it('sends 501 for a method that no route knows', async () => {
    const { response, body } = await get('/bien', { method: 'PROPFIND' });
    expect([response.status, body.type]).to.deep.equal([501, '/problemas/metodo-desconocido']);
  });

  it('sends no body for HEAD, also with an error', async () => {
    const found = await fetch(`${app.url}/bien`, { method: 'HEAD' });
    expect([found.status, found.headers.get('content-length'), await found.text()]).to.deep.equal([
      200,
      '13',
      '',
    ]);
    const missing = await app.raw('HEAD /nada HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(missing)
      .to.match(/^HTTP\/1.1 404 /)
      .and.match(/content-length: [1-9]/i)
      .and.match(/\r\n\r\n$/);
  });

  it('sends 400 for a path that is not percent-encoded UTF-8', async () => {
    for (const path of ['/%zz', '/%', '/%ff', '/v1/%e0%a4%a', '/cosas/%zz']) {
      const answer = await app.raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(answer, path)
        .to.match(/^HTTP\/1.1 400 /)
        .and.include('/problemas/peticion-no-valida');
    }
  });

  it('accepts a target in absolute form, and percent-encodes quotes and brackets in instance', async () => {
    const absolute = await app.raw(
      'GET http://localhost/v1/bien HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    expect(absolute).to.match(/^HTTP\/1.1 200 /);
    const odd = await app.raw(
      'GET /nada?ruta=%C3%A9"<> HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    expect(odd).to.include('"instance":"/nada?ruta=%C3%A9%22%3C%3E"');
  });

  it('sends a problem for Expect and CONNECT, which Node would answer by itself', async () => {
    const expecting = (expectation: string) =>
      app.raw(`GET /bien HTTP/1.1\r\nHost: localhost\r\nExpect: ${expectation}\r\nConnection: close\r\n\r\n`);
    expect(await expecting('foo'))
      .to.match(/^HTTP\/1.1 417 Expectation Failed\r\n/)
      .and.include('/problemas/expectativa-no-admitida')
      .and.include('«foo»');
    // The route reads no body, so no 100 Continue comes before the answer.
    expect(await expecting('100-Continue')).to.match(/^HTTP\/1.1 200 /);
    const tunnel = await app.raw('CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(tunnel)
      .to.match(/^HTTP\/1.1 501 /)
      .and.include('/problemas/metodo-desconocido');
    const elsewhere = await app.raw('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n');
    expect(elsewhere).to.match(/^HTTP\/1.1 421 /);
  });

  it('sends a problem for bytes that are not HTTP', async () => {
    const garbage = await app.raw('GET / HT\r\n\r\n');
    expect(garbage)
      .to.match(/^HTTP\/1.1 400 Bad Request\r\n/)
      .and.include('/problemas/peticion-no-valida');
    const [head = '', body = ''] = garbage.split('\r\n\r\n');
    expect(Number(/content-length: (\d+)/.exec(head)?.[1])).to.equal(Buffer.byteLength(body));
    const bytes = await app.raw('GET /bien?a=\xc3\xa9 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(bytes)
      .to.match(/^HTTP\/1.1 400 /)
      .and.include('se escriben con %XX');
    const long = await app.raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`);
    expect(long)
      .to.match(/^HTTP\/1.1 431 /)
      .and.include('/problemas/cabeceras-demasiado-grandes');
  });
});
