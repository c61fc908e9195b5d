import { connect } from 'node:net';
import { expect } from 'chai';
import { sendAnswer } from '../../../gateway/answers/sender.ts';
import { type HttpApp, startHttpApp } from '../../support/clients/http-app.ts';

describe('an HTTP request', () => {
  let app: HttpApp;
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const answer = { status: 200, headers: {}, body: Buffer.from('{"a":1}') };

  before(async () => {
    app = await startHttpApp((router) => {
      router.get('/estado', (ctx) => {
        ctx.body = ctx.state;
      });
      router.get('/respuesta', (ctx) => sendAnswer(ctx, answer, 'cola'));
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

  describe('its id and trace context', () => {
    it('come from a well-formed X-Request-Id, which is sent back', async () => {
      const { response, state } = await stateFor({ 'x-request-id': 'a.B_c-9' });
      expect(state.requestId).to.equal('a.B_c-9').and.equal(response.headers.get('x-request-id'));
    });

    for (const id of ['', 'a b', 'x'.repeat(65), 'é', 'a"b', 'a/b']) {
      it(`include a new id instead of "${id.slice(0, 10)}"`, async () => {
        const { response, state } = await stateFor({ 'x-request-id': Buffer.from(id).toString('latin1') });
        expect(state.requestId)
          .to.match(/^[0-9a-f-]{36}$/)
          .and.equal(response.headers.get('x-request-id'));
      });
    }

    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
    it('come from a valid traceparent', async () => {
      expect((await stateFor({ traceparent: trace })).state.traceparent).to.equal(trace);
    });

    for (const higher of [`01${trace.slice(2)}`, `cc${trace.slice(2)}-more-and-more`]) {
      it(`come from a traceparent of a higher version, as version 00: ${higher.slice(0, 2)}`, async () => {
        expect((await stateFor({ traceparent: higher })).state.traceparent).to.equal(trace);
        const flags = higher.replace('-00', '-ff');
        expect((await stateFor({ traceparent: flags })).state.traceparent).to.equal(
          trace.replace('-00', '-03'),
        );
      });
    }

    it('include tracestate, unless it is longer than 512 characters or traceparent is not valid', async () => {
      const stateOf = async (traceparent: string, tracestate: string) =>
        (await stateFor({ traceparent, tracestate })).state.traceparent;
      const kept = `a=1,b@c=${'x'.repeat(503)}`;
      expect(await stateOf(trace, kept)).to.equal(`${trace} ${kept}`);
      expect(await stateOf(trace, `${kept}xx`)).to.equal(trace);
      expect(await stateOf(trace, 'a=\xe1')).to.equal(trace);
      expect(await stateOf('x', 'a=1')).to.match(/-01$/);
    });

    it('are not sent back, except for the id', async () => {
      const { response } = await stateFor({ traceparent: trace, tracestate: 'a=1' });
      for (const name of ['traceparent', 'tracestate']) expect(response.headers.get(name)).to.equal(null);
    });

    const zeros = `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`;
    for (const bad of [
      '',
      'x',
      zeros,
      trace.replace(/b+/, '0'.repeat(16)),
      trace.toUpperCase(),
      `${trace}-more`,
      `ff${trace.slice(2)}`,
      `01${trace.slice(2)}more`,
    ]) {
      it(`include a new trace context instead of "${bad}"`, async () => {
        const { state } = await stateFor({ traceparent: bad });
        expect(state.traceparent)
          .to.match(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
          .and.not.equal(bad);
      });
    }
  });

  describe('its prefix and target', () => {
    it('are kept as sent, with and without /v1', async () => {
      expect((await stateFor({})).state).to.include({ prefix: '', target: '/estado' });
      const { state } = await stateFor({}, '/v1/estado?a=%20b&c');
      expect(state).to.include({ prefix: '/v1', target: '/v1/estado?a=%20b&c' });
    });

    it('leave the fragment out', async () => {
      const text = await app.raw('GET /estado?a#b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      expect(text).to.include('"target":"/estado?a"');
    });
  });

  describe('its line in the access log', () => {
    it('has the target, the caller, the status and how it was answered', async () => {
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

    it('has the final status when the request fails', async () => {
      await fetch(`${app.url}/nada`, { headers: { 'x-request-id': 'failed' } });
      expect(await app.line('request', (l) => l['requestId'] === 'failed')).to.include({ status: 404 });
    });

    it('has status 499 when the client disconnects before the answer', async () => {
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
