import { connect } from 'node:net';
import { expect } from 'chai';
import { sendAnswer } from '../../../gateway/answers/sender.ts';
import { type HttpApp, startHttpApp } from '../../support/clients/http-app.ts';

describe('around a request', () => {
  let app: HttpApp;
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const answer = {
    status: 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      etag: '"abc"',
      link: '</v1/x?cursor=b>; rel="next"',
    },
    body: Buffer.from('{"a":1}'),
  };

  before(async () => {
    app = await startHttpApp((router) => {
      router.get('/estado', (ctx) => {
        ctx.body = ctx.state;
      });
      router.get('/respuesta', (ctx) => {
        ctx.set('Preference-Applied', 'wait=1');
        return sendAnswer(ctx, answer, 'cola');
      });
      router.get('/error', (ctx) => sendAnswer(ctx, { ...answer, status: 404 }, 'grpc'));
      router.get('/lenta', async (ctx) => {
        arrived.resolve();
        await released.promise;
        ctx.body = 'late';
      });
    });
  });
  after(() => app.stop());

  async function stateFor(headers: Record<string, string>, path = '/estado') {
    const response = await fetch(app.url + path, { headers });
    return { response, state: JSON.parse(await response.text()) };
  }

  describe('request id and trace', () => {
    it('keeps a well-formed id and sends it back', async () => {
      const { response, state } = await stateFor({ 'x-request-id': 'a.B_c-9' });
      expect(state.requestId).to.equal('a.B_c-9').and.equal(response.headers.get('x-request-id'));
    });

    for (const id of ['', 'a b', 'x'.repeat(65), 'é', 'a"b', 'a/b']) {
      it(`makes a new one instead of "${id.slice(0, 10)}"`, async () => {
        const { response, state } = await stateFor({ 'x-request-id': Buffer.from(id).toString('latin1') });
        expect(state.requestId)
          .to.match(/^[0-9a-f-]{36}$/)
          .and.equal(response.headers.get('x-request-id'));
      });
    }

    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
    it('keeps a valid trace context', async () => {
      expect((await stateFor({ traceparent: trace })).state.traceparent).to.equal(trace);
    });

    const zeros = `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`;
    for (const bad of [
      '',
      'x',
      zeros,
      trace.replace(/b+/, '0'.repeat(16)),
      trace.toUpperCase(),
      `01${trace.slice(2)}`,
    ]) {
      it(`makes a new one instead of "${bad}"`, async () => {
        const { state } = await stateFor({ traceparent: bad });
        expect(state.traceparent)
          .to.match(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
          .and.not.equal(bad);
      });
    }
  });

  describe('prefix and target', () => {
    it('serves bare and under /v1, and remembers which', async () => {
      expect((await stateFor({})).state).to.include({ prefix: '', target: '/estado' });
      const { state } = await stateFor({}, '/v1/estado?a=%20b&c');
      expect(state).to.include({ prefix: '/v1', target: '/v1/estado?a=%20b&c' });
    });

    it('leaves the fragment out', async () => {
      const text = await app.raw('GET /estado?a#b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      expect(text).to.include('"target":"/estado?a"');
    });
  });

  describe('sending an answer', () => {
    it('sends status, headers and bytes as they are, and how it was made', async () => {
      const response = await fetch(`${app.url}/respuesta`);
      expect(Object.fromEntries(response.headers)).to.include({
        'content-type': 'application/json; charset=utf-8',
        etag: '"abc"',
        link: '</v1/x?cursor=b>; rel="next"',
        'servido-por': 'cola',
        'preference-applied': 'wait=1',
        'cache-control': 'no-cache',
        vary: 'Accept, Accept-Encoding',
        'x-content-type-options': 'nosniff',
      });
      expect(await response.text()).to.equal('{"a":1}');
    });

    for (const known of ['"abc"', 'W/"abc"', '"x", "abc"', '*']) {
      it(`sends 304 to who has ${known}`, async () => {
        const response = await fetch(`${app.url}/respuesta`, { headers: { 'if-none-match': known } });
        expect(response.status).to.equal(304);
        expect(response.headers.get('etag')).to.equal('"abc"');
        expect(response.headers.get('servido-por')).to.equal('cola');
        expect(response.headers.get('content-length')).to.equal(null);
        expect(await response.text()).to.equal('');
      });
    }

    for (const known of ['"abcd"', 'abc', '']) {
      it(`sends 200 to who has ${known}`, async () => {
        const response = await fetch(`${app.url}/respuesta`, { headers: { 'if-none-match': known } });
        expect([response.status, await response.text()]).to.deep.equal([200, '{"a":1}']);
      });
    }

    it('sends no 304 instead of an error', async () => {
      const response = await fetch(`${app.url}/error`, { headers: { 'if-none-match': '"abc"' } });
      expect([response.status, await response.text()]).to.deep.equal([404, '{"a":1}']);
    });

    it('answers HEAD with the length and no body', async () => {
      const text = await app.raw('HEAD /respuesta HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      expect(text)
        .to.match(/content-length: 7\r\n/i)
        .and.match(/\r\n\r\n$/);
    });
  });

  describe('the access log', () => {
    it('has one line with what was asked, by whom, and how it was answered', async () => {
      await fetch(`${app.url}/respuesta?q=%0A%1B`, { headers: { 'x-request-id': 'logged' } });
      const line = await app.line('request', (l) => l['requestId'] === 'logged');
      expect(line).to.include({
        method: 'GET',
        target: '/respuesta?q=%0A%1B',
        status: 200,
        bytes: 7,
        servidoPor: 'cola',
        caller: 'anonimo',
      });
      expect(line['ms']).to.be.a('number');
    });

    it('has the final status of what failed', async () => {
      await fetch(`${app.url}/nada`, { headers: { 'x-request-id': 'failed' } });
      expect(await app.line('request', (l) => l['requestId'] === 'failed')).to.include({ status: 404 });
    });

    it('says 499 of a client that went away', async () => {
      const socket = connect(app.port, '127.0.0.1');
      socket.write('GET /lenta HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: gone\r\n\r\n');
      await arrived.promise;
      socket.destroy();
      const line = await app.line('request', (l) => l['requestId'] === 'gone');
      released.resolve();
      expect(line).to.include({ status: 499, target: '/lenta' });
    });
  });
});
