import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type Router from '@koa/router';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect } from 'chai';
import { pino } from 'pino';
import { readGatewayConfig } from '../../gateway/config.ts';
import { createGateway } from '../../gateway/gateway.ts';
import { problemas } from '../../gateway/http/texts.ts';
import { services } from '../../gateway/services.ts';
import { assertConforms, assertStreamLine } from '../support/clients/conformance.ts';
import { accepted, answerAt } from '../support/ledger/accepted.ts';
import { MemoryLedger } from '../support/ledger/memory-ledger.ts';
import { type SetUp, setUp } from '../support/processes/set-up.ts';

interface Item {
  readonly name: string;
  readonly item?: readonly Item[];
  readonly request?: {
    readonly method: string;
    readonly url: { readonly raw: string };
    readonly body?: { readonly raw: string };
  };
}

/** Returns the response with its body still coded. */
async function raw(url: string, method: string, coding: string) {
  const req = request(url, { method, agent: false, headers: { 'accept-encoding': coding } });
  req.end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of res) chunks.push(chunk);
  return { headers: res.headers, body: Buffer.concat(chunks) };
}

describe('The API documents', () => {
  let archivero: SetUp;
  before(async () => {
    archivero = await setUp({ running: ['mserv1', 'gateway'] });
    writeFileSync(join(archivero.root, 'uno.txt'), '1');
    writeFileSync(join(archivero.root, 'dos.txt'), '22');
  });
  after(() => archivero[Symbol.asyncDispose]());

  const document = async (prefix = '') =>
    (await (await archivero.get(`${prefix}/openapi.json`)).json()) as {
      servers: { url: string }[];
      paths: Record<string, Record<string, { operationId: string; responses: object }>>;
    };

  it('contain a valid OpenAPI 3.1 document', async () => {
    const validator = new Validator();
    const result = await validator.validate((await document()) as never);
    expect(result.errors).to.equal(undefined);
    expect([result.valid, validator.version]).to.deep.equal([true, '3.1']);
    const ids = Object.values((await document()).paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    for (const id of ids) expect(id).to.match(/^[a-z_]+$/);
    expect(new Set(ids)).to.have.property('size', ids.length);
  });

  it('describe every route and no other', async () => {
    const log = pino({ level: 'silent' });
    const config = readGatewayConfig({ RABBITMQ_URL: '' }, services);
    const ledger = new MemoryLedger({ maxRows: 1, maxBytes: 1 });
    const { app } = await createGateway({ config, services, ledger, log, version: '0' });
    const routers = app.middleware.flatMap(
      (middleware) => (middleware as { readonly router?: Router }).router ?? [],
    );
    const served = routers
      .flatMap(({ stack }) => stack)
      .flatMap(({ path, methods }) =>
        methods.filter((method) => method !== 'HEAD').map((method) => `${method} ${path}`),
      )
      .map((route) => route.replaceAll(/:(\w+)/g, '{$1}'))
      .filter((route) => route !== 'GET /docs/{file}')
      // A WebSocket's handshake, which OpenAPI cannot describe.
      .filter((route) => !route.endsWith('/en_vivo'));
    const named = Object.entries((await document()).paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(served.length).to.be.above(20);
    expect(named).to.have.members(served);
  });

  it('are refused with 412 when If-Match names an ETag that the answer does not have', async () => {
    for (const path of ['/openapi.json', '/solicitudes', '/cuarentena', '/listar_archivos?formato=ndjson']) {
      expect((await archivero.get(path, { 'if-match': '"x"' })).status, path).to.equal(412);
      expect((await archivero.get(path, { 'if-match': '*' })).status, path).to.equal(200);
    }
    expect((await archivero.get('/nada', { 'if-match': '"x"' })).status).to.equal(404);
  });

  it('give 304 when If-None-Match is *, also when the answer has no ETag', async () => {
    for (const path of ['/openapi.json', '/solicitudes', '/', '/salud/viva']) {
      const answer = await archivero.get(path, { 'if-none-match': '*' });
      expect([answer.status, await answer.text()], path).to.deep.equal([304, '']);
    }
  });

  it('match the real answers: pages, names, lines, problems and solicitudes', async () => {
    // `get` itself checks each answer against the document.
    for (const path of [
      '/',
      '/v1',
      '/listar_archivos',
      '/v1/listar_archivos?limite=1&orden=-bytes',
      '/listar_archivos?formato=nombres',
      '/listar_archivos?limite=0&otro=1',
      '/listar_archivos?ruta=../etc',
      '/listar_archivos?ruta=nada',
      '/listar_archivos?cursor=x',
      '/solicitudes',
      '/solicitudes?estado=x',
      '/solicitudes/x',
      '/cuarentena',
      '/salud',
      '/salud/viva',
      '/readyz',
      '/colas',
      '/apis/queue/count',
      '/problemas/ruta-no-existe',
      '/problemas/nada',
    ]) {
      const answer = await archivero.get(path);
      expect(answer.headers.get('content-type'), path).to.match(/json/);
    }
    expect((await archivero.get('/listar_archivos', { accept: 'image/png' })).status).to.equal(406);
    const stream = await (await archivero.get('/listar_archivos?formato=ndjson')).text();
    const lines = stream.trim().split('\n');
    expect(lines).to.have.length(3);
    for (const line of lines) assertStreamLine('listar_archivos', JSON.parse(line));

    const answerPath = await accepted(archivero, '/listar_archivos', { prefer: 'respond-async' });
    expect((await answerAt(archivero, answerPath)).status).to.equal(200);
    expect((await archivero.get(answerPath.replace('/respuesta', ''))).status).to.equal(200);
    const waiting = await accepted(archivero, '/buscar_archivos?nombre=uno');
    const path = waiting.replace('/respuesta', '');
    const cancelled = await fetch(archivero.url + path, { method: 'DELETE' });
    await assertConforms('DELETE', path, cancelled);
    expect((await archivero.get(waiting)).status).to.equal(410);
  });

  it('reject answers that they do not describe', async () => {
    const check = (body: object, status = 200, type = 'application/json') =>
      assertConforms(
        'GET',
        '/listar_archivos',
        Response.json(body, { status, headers: { 'content-type': type } }),
      );
    const page = { archivos: [], siguiente: null, completo: true, errores: [] };
    await check(page);
    const refused = async (promise: Promise<void>): Promise<boolean> =>
      promise.then(
        () => false,
        () => true,
      );
    for (const body of [{ ...page, mas: 1 }, { ...page, completo: 'si' }, { archivos: [{ nombre: 'x' }] }]) {
      expect(await refused(check(body))).to.equal(true);
    }
    expect(await refused(check({ type: '/problemas/inventado' }, 400, 'application/problem+json'))).to.equal(
      true,
    );
    expect(await refused(check(page, 418))).to.equal(true);
  });

  it('include a Postman collection whose requests all reach a route', async () => {
    const collection = (await (await archivero.get('/v1/postman.json')).json()) as Item & {
      variable: { key: string; value: string }[];
    };
    const base = collection.variable.find(({ key }) => key === 'base_url')?.value ?? '';
    expect(base).to.equal(`${archivero.url}/v1`);
    const requests = (collection.item ?? [])
      .flatMap(({ item = [] }) => item)
      .flatMap(({ request }) => request ?? []);
    expect(requests.length).to.be.above(20);
    for (const { method, url, body } of requests) {
      const target = url.raw
        .replace('{{base_url}}', base)
        .replaceAll(/:(?:id|cola)\b/g, 'x')
        .replace(':slug', 'error-interno');
      const answer = await fetch(target, {
        method,
        ...(body && { body: body.raw, headers: { 'content-type': 'application/json' } }),
      });
      const text = await answer.text();
      expect(text, target).not.to.match(/^\{"type":"\/problemas\/ruta-no-encontrada"/);
      expect(answer.status, target).to.be.oneOf([200, 201, 202, 404, 503]);
    }
  });

  it('are compressed when the client accepts it, with equal header fields for HEAD', async () => {
    const plain = async (path: string) => {
      const answer = await fetch(archivero.url + path, { headers: { 'accept-encoding': 'identity' } });
      expect(answer.headers.get('content-encoding')).to.equal(null);
      expect(answer.headers.get('vary')).to.include('Accept-Encoding');
      return Buffer.from(await answer.arrayBuffer());
    };
    const decode = { gzip: gunzipSync, br: brotliDecompressSync };
    for (const path of [
      '/openapi.json',
      '/v1/postman.json',
      '/docs/swagger-ui-bundle.js',
      '/docs/swagger-ui.css',
    ]) {
      const whole = await plain(path);
      for (const coding of ['gzip', 'br'] as const) {
        const got = await raw(archivero.url + path, 'GET', coding);
        expect(got.headers['content-encoding'], path).to.equal(coding);
        expect(got.body.length).to.be.below(whole.length / 2);
        expect(decode[coding](got.body).equals(whole), path).to.equal(true);
        const head = await raw(archivero.url + path, 'HEAD', coding);
        const { date: _, 'x-request-id': _id, ...fields } = got.headers;
        expect(head.headers).to.deep.include(fields);
        expect(head.body).to.have.length(0);
      }
    }
    expect((await raw(`${archivero.url}/metrics`, 'GET', 'gzip')).headers['content-encoding']).to.equal(
      'gzip',
    );
    expect((await raw(`${archivero.url}/salud/viva`, 'GET', 'gzip')).headers['content-encoding']).to.equal(
      undefined,
    );
  });

  it('are sent once: a client that has them gets 304', async () => {
    for (const path of [
      '/openapi.json',
      '/v1/postman.json',
      '/docs',
      '/docs/inicio.js',
      '/docs/swagger-ui-bundle.js',
      '/docs/swagger-ui.css',
      '/problemas/error-interno',
    ]) {
      for (const coding of ['identity', 'br']) {
        const headers = { 'accept-encoding': coding };
        const first = await fetch(archivero.url + path, { headers });
        const etag = first.headers.get('etag') ?? '';
        expect(etag, path).to.match(/^"/);
        await first.arrayBuffer();
        const again = await fetch(archivero.url + path, { headers: { ...headers, 'if-none-match': etag } });
        expect([again.status, again.headers.get('etag')], path).to.deep.equal([304, etag]);
        expect(again.headers.get('content-security-policy')).to.equal(
          first.headers.get('content-security-policy'),
        );
      }
    }
  });

  it('explain every problem type, as JSON and as a page, in both languages', async () => {
    const answers = new Map<string, string>();
    for (const [slug, { title }] of Object.entries(problemas)) {
      for (const idioma of ['es', 'en'] as const) {
        const headers = { 'accept-language': idioma };
        const json = await fetch(`${archivero.url}/v1/problemas/${slug}`, { headers });
        expect(json.headers.get('content-language')).to.equal(idioma);
        expect(await json.json()).to.include({ type: `/problemas/${slug}`, title: title[idioma] });
        const page = await fetch(`${archivero.url}/problemas/${slug}`, {
          headers: { ...headers, accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
        });
        expect(page.headers.get('content-type')).to.equal('text/html; charset=utf-8');
        expect(page.headers.get('vary'))
          .to.include('Accept-Language')
          .and.match(/\bAccept,/);
        const text = await page.text();
        expect(text).to.include(`<h1>${title[idioma]}</h1>`);
        answers.set(`${slug} ${idioma}`, text);
      }
    }
    expect(new Set(answers.values())).to.have.property('size', answers.size);
    expect((await fetch(`${archivero.url}/problemas/__proto__`)).status).to.equal(404);
  });

  it('name the prefix of the request as their server', async () => {
    expect((await document()).servers).to.deep.equal([{ url: '/' }]);
    expect((await document('/v1')).servers).to.deep.equal([{ url: '/v1' }]);
  });
});
