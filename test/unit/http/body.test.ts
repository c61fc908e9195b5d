import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import * as z from 'zod';
import { readJsonBody, readOptionalJsonBody } from '../../../gateway/http/body.ts';
import { findJsonFlaw } from '../../../gateway/http/json-text.ts';
import { ProblemError } from '../../../gateway/http/problem.ts';
import { type HttpApp, startHttpApp } from '../../support/clients/http-app.ts';

const maxBytes = 300_000;
const schema = z.object({ mensaje: z.json(), veces: z.number().int().max(9).optional() });

describe('a JSON body', () => {
  let app: HttpApp;
  const reading = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  before(async () => {
    app = await startHttpApp((router) => {
      router.post('/eco', async (ctx) => {
        ctx.body = await readJsonBody(ctx, schema, maxBytes);
      });
      router.post('/nada', async (ctx) => {
        ctx.body = await readOptionalJsonBody(ctx, z.object({ veces: z.number().optional() }), 100);
      });
      router.post('/mitad', async (ctx) => {
        const read = readJsonBody(ctx, schema, maxBytes);
        reading.resolve();
        await read.catch(ended.resolve);
      });
    });
  });
  after(() => app.stop());

  const post = (body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${app.url}/eco`, {
      method: 'POST',
      body: new Uint8Array(Buffer.from(body)),
      headers: { 'content-type': 'application/json', ...headers },
    });
  async function refused(body: string | Buffer, headers?: Record<string, string>) {
    const answer = await post(body, headers);
    const { status, type, errores } = (await answer.json()) as {
      status: number;
      type: string;
      errores?: { parametro: string; motivo: string }[];
    };
    expect(answer.status).to.equal(status);
    return { status, slug: type.replace('/problemas/', ''), errores };
  }

  it('is parsed when its type is application/json in UTF-8', async () => {
    for (const type of [
      'application/json',
      'Application/JSON; charset="UTF-8"',
      'application/json;charset=utf8',
    ]) {
      const answer = await post('{"mensaje":{"ñ":["\\u00e9",null,1.5]}}', { 'content-type': type });
      expect(await answer.json()).to.deep.equal({ mensaje: { ñ: ['é', null, 1.5] } });
    }
  });

  it('is refused with 415 when it has another type or is compressed', async () => {
    for (const type of ['text/plain', 'application/json; charset=latin1', 'application/jsonp', '']) {
      expect(await refused('{}', { 'content-type': type })).to.include({
        status: 415,
        slug: 'tipo-no-admitido',
      });
    }
    const bomb = gzipSync(Buffer.alloc(10_000_000, '['));
    const answer = await post(bomb, { 'content-encoding': 'gzip' });
    expect(answer.status).to.equal(415);
    expect(answer.headers.get('accept-encoding')).to.equal('identity');
  });

  it('is refused with 413 when it is too large, with Content-Length or in chunks', async () => {
    const large = JSON.stringify({ mensaje: 'x'.repeat(maxBytes) });
    expect(await refused(large)).to.include({ status: 413, slug: 'cuerpo-demasiado-grande' });
    const head = 'POST /eco HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    const declared = await app.raw(`${head}Content-Length: 1000000000\r\n\r\n`);
    expect(declared).to.match(/^HTTP\/1\.1 413 .*connection: close/is);

    const socket = connect(app.port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', () => undefined);
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const feeding = setInterval(() => socket.write(chunk), 1);
    // `once` would reject when the rest of the body meets a closed connection.
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(feeding);
    expect(received).to.match(/^HTTP\/1\.1 413 /);
  });

  it('may be left out where it is optional, also in chunks and with any type', async () => {
    const raw = (fields: string, body = '') =>
      app.raw(`POST /nada HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${fields}\r\n${body}`);
    for (const fields of ['', 'Content-Length: 0\r\n', 'Content-Type: text/plain\r\nContent-Length: 0\r\n']) {
      expect(await raw(fields), fields).to.match(/^HTTP\/1.1 200 .*\r\n\r\n\{\}$/s);
    }
    expect(await raw('Transfer-Encoding: chunked\r\n', '0\r\n\r\n')).to.match(/^HTTP\/1.1 200 /);
    const json = 'Content-Type: application/json\r\nContent-Length: 11\r\n';
    expect(await raw(json, '{"veces":1}')).to.match(/\r\n\r\n\{"veces":1\}$/);
    expect(await raw(json, '{"otro": 1}')).to.match(/^HTTP\/1.1 400 /);
    expect(await raw('Content-Length: 2\r\n', '{}')).to.match(/^HTTP\/1.1 415 /);
    expect(await raw('Content-Length: 101\r\n')).to.match(/^HTTP\/1.1 413 /);
  });

  it('ends its route when the client disconnects in the middle', async () => {
    const socket = connect(app.port, '127.0.0.1');
    socket.write(
      'POST /mitad HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    );
    await reading.promise;
    socket.destroy();
    expect(await ended.promise).to.be.instanceOf(ProblemError);
  });

  it('is refused when it is not JSON, not an object or not UTF-8', async () => {
    for (const [body, motivo] of [
      ['', 'No es JSON válido.'],
      ['{"mensaje":1', 'No es JSON válido.'],
      ["{'mensaje':1}", 'No es JSON válido.'],
      ['[1]', 'Debe ser un objeto JSON.'],
      ['null', 'Debe ser un objeto JSON.'],
      [Buffer.from('7b226d656e73616a65223a22ff227d', 'hex'), 'No es UTF-8 válido.'],
    ] as const) {
      const { slug, errores } = await refused(body);
      expect({ slug, errores }).to.deep.equal({
        slug: 'cuerpo-no-valido',
        errores: [{ parametro: 'cuerpo', motivo }],
      });
    }
  });

  it('is refused when it has more than 32 levels, a repeated name or the name __proto__', async () => {
    const deep = (levels: number) => `{"mensaje":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    expect((await post(deep(31))).status).to.equal(200);
    for (const body of [
      deep(32),
      deep(100_000),
      `{"mensaje":${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}}`,
    ]) {
      expect((await refused(body)).errores?.[0]?.motivo).to.equal('No puede tener más de 32 niveles.');
    }
    for (const body of ['{"mensaje":1,"mensaje":2}', '{"mensaje":{"a":1,"\\u0061" :2}}']) {
      expect((await refused(body)).errores?.[0]?.motivo).to.match(/dos veces/);
    }
    for (const body of ['{"mensaje":{"__proto__":{"x":1}}}', '{"__proto__":null,"mensaje":1}']) {
      expect((await refused(body)).errores?.[0]?.motivo).to.match(/__proto__/);
    }
  });

  it('is refused with every missing, unknown and wrong member named', async () => {
    const { slug, errores } = await refused('{"veces":10,"otro":1}');
    expect(slug).to.equal('parametros-no-validos');
    expect(errores).to.have.deep.members([
      { parametro: 'otro', motivo: 'Este parámetro no existe.' },
      { parametro: 'mensaje', motivo: 'Falta, y es obligatorio.' },
      { parametro: 'veces', motivo: 'El valor no es válido.' },
    ]);
  });

  it('has no flaw when no object repeats a name', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, space) => {
        const text = JSON.stringify(value, null, space);
        fc.pre(!text.includes('__proto__'));
        expect(findJsonFlaw(text, 32)).to.equal(undefined);
      }),
    );
  });

  it('has a flaw when one of its objects repeats a name', () => {
    const names = fc.array(fc.string(), { minLength: 1 });
    fc.assert(
      fc.property(names, fc.nat(), fc.json(), (list, which, inner) => {
        const twice = [...list, list[which % list.length] ?? ''];
        const text = `[{${twice.map((name) => `${JSON.stringify(name)} : ${inner}`).join(',')}}]`;
        expect(findJsonFlaw(text, 99)).to.be.oneOf(['json-clave-repetida', 'json-clave-reservada']);
      }),
    );
  });
});
