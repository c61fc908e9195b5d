import { expect } from 'chai';
import { sendAnswer } from '../../../gateway/answers/sender.ts';
import { type HttpApp, startHttpApp } from '../../support/clients/http-app.ts';

describe('the sender of answers', () => {
  let app: HttpApp;
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
      router.get('/respuesta', (ctx) => {
        ctx.set('Preference-Applied', 'wait=1');
        return sendAnswer(ctx, answer, 'cola');
      });
      router.get('/larga', (ctx) =>
        sendAnswer(ctx, { ...answer, body: Buffer.from(JSON.stringify('a'.repeat(2_000))) }, 'grpc'),
      );
      router.post('/respuesta', (ctx) => sendAnswer(ctx, answer, 'cola'));
      router.get('/error', (ctx) => sendAnswer(ctx, { ...answer, status: 404 }, 'grpc'));
    });
  });
  after(() => app.stop());

  it('sends status, headers and bytes unchanged, with Servido-Por', async () => {
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
    it(`sends 304 when If-None-Match is ${known}`, async () => {
      const response = await fetch(`${app.url}/respuesta`, { headers: { 'if-none-match': known } });
      expect(response.status).to.equal(304);
      expect(response.headers.get('etag')).to.equal('"abc"');
      expect(response.headers.get('servido-por')).to.equal('cola');
      expect(response.headers.get('content-length')).to.equal(null);
      expect(await response.text()).to.equal('');
    });
  }

  it('sends the answer of a POST whatever its If-None-Match', async () => {
    for (const known of ['"abc"', '*']) {
      const headers = { 'if-none-match': known };
      const response = await fetch(`${app.url}/respuesta`, { method: 'POST', headers });
      expect([response.status, await response.text()]).to.deep.equal([200, '{"a":1}']);
    }
  });

  for (const known of ['"abcd"', 'abc', '']) {
    it(`sends 200 when If-None-Match is '${known}'`, async () => {
      const response = await fetch(`${app.url}/respuesta`, { headers: { 'if-none-match': known } });
      expect([response.status, await response.text()]).to.deep.equal([200, '{"a":1}']);
    });
  }

  it('sends an error instead of 304 although If-None-Match matches', async () => {
    const response = await fetch(`${app.url}/error`, { headers: { 'if-none-match': '"abc"' } });
    expect([response.status, await response.text()]).to.deep.equal([404, '{"a":1}']);
  });

  const largeTag = async (coding: string) =>
    (await fetch(`${app.url}/larga`, { headers: { 'accept-encoding': coding } })).headers.get('etag') ?? '';

  for (const wanted of ['"abc"', '"x", "abc"', '*', ' * ']) {
    it(`sends 200 when If-Match is '${wanted}'`, async () => {
      const response = await fetch(`${app.url}/respuesta`, { headers: { 'if-match': wanted } });
      expect([response.status, await response.text()]).to.deep.equal([200, '{"a":1}']);
    });
  }

  for (const wanted of ['"x"', 'W/"abc"', '"abc-gzip"', 'abc', '']) {
    it(`sends 412 when If-Match is '${wanted}', also when If-None-Match matches`, async () => {
      for (const more of [{}, { 'if-none-match': '"abc"' }]) {
        const headers = { 'if-match': wanted, ...more };
        const response = await fetch(`${app.url}/respuesta`, { headers });
        expect(response.status).to.equal(412);
        expect(await response.json()).to.include({ type: '/problemas/precondicion-no-cumplida' });
      }
    });
  }

  it('compares If-Match with the representation that is selected by Accept-Encoding', async () => {
    const etag = await largeTag('gzip');
    expect(etag).to.equal('"abc-gzip"');
    const status = async (coding: string, more = {}) =>
      (await fetch(`${app.url}/larga`, { headers: { 'accept-encoding': coding, 'if-match': etag, ...more } }))
        .status;
    expect(await status('gzip')).to.equal(200);
    expect(await status('gzip', { 'if-none-match': etag })).to.equal(304);
    expect(await status('identity')).to.equal(412);
  });

  it('sends an error instead of 412', async () => {
    const response = await fetch(`${app.url}/error`, { headers: { 'if-match': '"x"' } });
    expect(response.status).to.equal(404);
  });

  it('sends the length and no body for HEAD', async () => {
    const text = await app.raw('HEAD /respuesta HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(text)
      .to.match(/content-length: 7\r\n/i)
      .and.match(/\r\n\r\n$/);
  });
});
