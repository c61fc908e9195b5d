import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type SetUp, setUp } from '../support/processes/set-up.ts';

describe('An HTTP request', () => {
  let archivero: SetUp;
  let port: number;
  before(async () => {
    archivero = await setUp({
      running: ['mserv1', 'gateway'],
      env: {
        RABBITMQ_URL: '',
        HEADERS_TIMEOUT_MS: '700',
        REQUEST_TIMEOUT_MS: '1500',
        STREAM_STALL_MS: '1000',
        GATEWAY_CORS_ORIGINS: 'https://app.example.org',
        GATEWAY_ALLOWED_HOSTS: 'archivos.example.org',
      },
    });
    port = Number(new URL(archivero.url).port);
  });
  after(() => archivero[Symbol.asyncDispose]());

  /** Sends the text unchanged; returns all bytes received until the connection closes. */
  async function raw(text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write(Buffer.from(text, 'latin1'));
    await closed(socket);
    return Buffer.concat(chunks).toString();
  }
  const head = (target: string, ...more: string[]): string =>
    `${[`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...more].join('\r\n')}\r\n\r\n`;
  const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);

  describe('that a proxy may read as two requests', () => {
    const start = 'POST /solicitudes HTTP/1.1\r\nHost: localhost\r\n';
    for (const [name, request] of [
      ['two lengths', `${start}Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde`],
      ['a list of lengths', `${start}Content-Length: 3, 5\r\n\r\nabcde`],
      [
        'a length and chunked coding',
        `${start}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      ],
      ['chunked coding that is not last', `${start}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
      ['an unknown transfer coding', `${start}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
      ['chunked coding after a vertical tab', `${start}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`],
      ['a space before a colon', `${start}Content-Length : 5\r\n\r\nabcde`],
      ['a folded line', `${start}X: a\r\n Content-Length: 5\r\n\r\nabcde`],
      ['bare line feeds', 'GET / HTTP/1.1\nHost: localhost\n\n'],
      ['a bare carriage return', 'GET / HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n'],
      ['a negative length', `${start}Content-Length: -1\r\n\r\n`],
      ['a length with a sign', `${start}Content-Length: +5\r\n\r\nabcde`],
      ['an invalid chunk size', `${start}Transfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n`],
      ['a NUL in a field', 'GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n'],
      ['two Hosts', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n'],
      [
        'two Authorization fields',
        'GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n',
      ],
    ] as const) {
      it(`is refused: ${name}`, async () => {
        const answer = await raw(
          `${request}GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
        );
        expect(statusOf(answer), answer).to.equal(400);
        expect(answer).to.include('/problemas/peticion-no-valida').and.not.include('"viva"');
      });
    }
  });

  for (const [name, request, status] of [
    ['3,000 header fields', head('/', ...Array.from({ length: 3_000 }, (_, i) => `X-${i}: a`)), 431],
    ['201 header fields', head('/', ...Array.from({ length: 201 }, (_, i) => `X-${i}: a`)), 431],
    ['header fields of 70 kB', head('/', `X: ${'a'.repeat(70_000)}`), 431],
    ['an address of 20 kB', head(`/listar_archivos?ruta=${'a'.repeat(20_000)}`), 414],
    ['a foreign Host', 'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 421],
    [
      'a Host with a user',
      'GET / HTTP/1.1\r\nHost: localhost@evil.example\r\nConnection: close\r\n\r\n',
      421,
    ],
    ['an absolute address of a foreign host', head('http://evil.example/listar_archivos'), 421],
    ['an absolute address of an allowed host', head('http://archivos.example.org/listar_archivos'), 200],
    ['two slashes', head('//listar_archivos'), 404],
    ['a host behind two slashes', head('//evil.example/listar_archivos'), 404],
    ['%zz in the path', head('/listar_archivos%zz'), 400],
    ['%zz in the query', head('/listar_archivos?ruta=%zz'), 400],
    ['a NUL in a parameter', head('/listar_archivos?ruta=a%00b'), 400],
    [
      '4,000 parameters',
      head(`/listar_archivos?${Array.from({ length: 4_000 }, (_, i) => i.toString(36)).join('&')}`),
      400,
    ],
    ['line ends in a parameter', head('/listar_archivos?ruta=a%0d%0aX-Injected:%201'), 404],
    [
      'control characters in the address',
      'GET /\x01 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      400,
    ],
    ['a path out of the root', head('/listar_archivos?ruta=..%2f..%2fetc'), 400],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 400],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 501],
    ['HTTP/2 without negotiation', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ] as const) {
    it(`gets ${status} for ${name}`, async () => {
      const answer = await raw(request);
      expect(statusOf(answer), answer.slice(0, 300)).to.equal(status);
      expect(answer.split('\r\n\r\n')[0]).not.to.match(/\nx-injected/i);
    });
  }

  it('is refused from a page of another site, and served to an allowed origin', async () => {
    const ask = async (headers: Record<string, string>, method = 'GET', path = '/listar_archivos') => {
      const answer = await raw(
        `${[`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...Object.entries(headers).map(([n, v]) => `${n}: ${v}`)].join('\r\n')}\r\n\r\n`,
      );
      return { status: statusOf(answer), answer };
    };
    for (const headers of [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { Origin: 'https://app.example.org.evil.example' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
      { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'script' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
    ] as Record<string, string>[]) {
      expect((await ask(headers)).status, JSON.stringify(headers)).to.equal(403);
      expect((await ask(headers, 'POST', '/colas/a/mensajes')).status).to.equal(403);
    }
    const navigation = {
      'Sec-Fetch-Site': 'cross-site',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Dest': 'document',
    };
    expect((await ask(navigation)).status).to.equal(200);
    expect((await ask(navigation, 'POST', '/colas/a/mensajes')).status).to.equal(403);
    const allowed = await ask({ Origin: 'https://app.example.org' });
    expect(allowed.status).to.equal(200);
    expect(allowed.answer).to.match(/\r\naccess-control-allow-origin: https:\/\/app\.example\.org\r\n/i);
    expect(allowed.answer).to.match(/\r\naccess-control-expose-headers: [^\r]*Location/i);
    const preflight = await ask(
      {
        Origin: 'https://app.example.org',
        'Access-Control-Request-Method': 'DELETE',
        'Access-Control-Request-Headers': 'authorization',
      },
      'OPTIONS',
      '/solicitudes/x',
    );
    expect(preflight.status).to.equal(204);
    expect(preflight.answer).to.match(/access-control-allow-methods: [^\r]*DELETE/i);
    expect(preflight.answer).not.to.match(/access-control-allow-credentials/i);
    const foreign = await ask(
      { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'DELETE' },
      'OPTIONS',
    );
    expect(foreign.answer).not.to.match(/access-control-allow/i);
    // An error has the CORS headers too, so that the page can read it.
    const wrong = await ask({ Origin: 'https://app.example.org' }, 'GET', '/nada');
    expect(wrong.status).to.equal(404);
    expect(wrong.answer).to.match(/access-control-allow-origin/i);
  });

  it('gets the header of GET by HEAD, and the allowed methods by OPTIONS, on every path', async () => {
    const { paths } = (await (await archivero.get('/openapi.json')).json()) as {
      paths: Record<string, object>;
    };
    expect(Object.keys(paths).length).to.be.above(20);
    const known = Object.entries(paths).flatMap(([path, methods]) => {
      const real = path.replace('{id}', '019a0000-0000-7000-8000-000000000000').replace('{cola}', 'x');
      return ['', '/v1'].map((prefix) => [prefix + real, Object.keys(methods)] as const);
    });
    for (const [path, methods] of [...known, ['/nada', [] as string[]] as const]) {
      const ask = (method: string) =>
        fetch(archivero.url + path, { method, headers: { accept: 'application/json' } });
      const options = await ask('OPTIONS');
      const other = await ask('PUT');
      if (methods.length === 0) expect([options.status, other.status]).to.deep.equal([404, 404]);
      else {
        const allowed = ['GET', 'HEAD', 'POST', 'DELETE']
          .filter((method) => methods.includes(method === 'HEAD' ? 'get' : method.toLowerCase()))
          .join(', ');
        expect(options.status, path).to.equal(204);
        expect(options.headers.get('allow'), path).to.equal(`${allowed}, OPTIONS`);
        expect([other.status, other.headers.get('allow')]).to.deep.equal([405, `${allowed}, OPTIONS`]);
      }
      const head = await ask('HEAD');
      expect(await head.text(), path).to.equal('');
      if (methods.length > 0 && !methods.includes('get')) expect(head.status, path).to.equal(405);
      else {
        const get = await ask('GET');
        await get.body?.cancel();
        // A HEAD is never queued.
        expect(head.status, path).to.equal(get.status === 202 ? 503 : get.status);
        if (get.status === 202) continue;
        expect(head.headers.get('content-type'), path).to.equal(get.headers.get('content-type'));
        const length = head.headers.get('content-length');
        // These bodies contain times and counts, so their lengths vary.
        if (/\/(?:salud|readyz|metrics|solicitudes)/.test(path)) expect(Number(length), path).to.be.above(0);
        else expect(length, path).to.equal(get.headers.get('content-length'));
      }
    }
  });

  describe('with a bad body', () => {
    const json = (value: string | Buffer, headers: Record<string, string> = {}) => ({
      body: new Uint8Array(Buffer.from(value)),
      headers: { 'content-type': 'application/json', ...headers },
    });
    const deep = (open: string, close: string) =>
      `{"mensaje":${open.repeat(100_000)}1${close.repeat(100_000)}}`;
    for (const [name, init, status] of [
      ['a gzip bomb', json(gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' }), 415],
      ['two content codings', json('{}', { 'content-encoding': 'identity, deflate' }), 415],
      ['a form', json('mensaje=1', { 'content-type': 'application/x-www-form-urlencoded' }), 415],
      ['another charset', json('{}', { 'content-type': 'application/json; charset=utf-16' }), 415],
      ['300 kB', json(`{"mensaje":"${'x'.repeat(300_000)}"}`), 413],
      ['100,000 arrays deep', json(deep('[', ']')), 400],
      ['20,000 objects deep', json(`{"mensaje":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`), 400],
      ['a repeated key', json('{"mensaje":1,"mensaje":2}'), 400],
      ['__proto__', json('{"mensaje":{"__proto__":{"admin":true}}}'), 400],
      ['an unknown member', json('{"mensaje":1,"constructor":{}}'), 400],
      ['invalid UTF-8', json(Buffer.from('7b226d656e73616a65223a22c328227d', 'hex')), 400],
      ['cut JSON', json('{"mensaje":'), 400],
      ['an array', json('[]'), 400],
    ] as const) {
      it(`is refused, and other requests are answered: ${name}`, async () => {
        for (const path of ['/colas/a/mensajes', '/v1/apis/queue/push']) {
          const answer = await fetch(archivero.url + path, { method: 'POST', ...init });
          expect(answer.status, await answer.text()).to.equal(status);
        }
        expect((await archivero.get('/listar_archivos')).status).to.equal(200);
      });
    }
  });

  describe('with Expect: 100-continue', () => {
    const start = 'POST /colas/a/mensajes HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n';
    for (const [name, fields, status] of [
      ['another type', 'Content-Type: text/plain\r\nContent-Length: 9', 415],
      ['compression', 'Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 9', 415],
      ['a length above the limit', 'Content-Type: application/json\r\nContent-Length: 999999999', 413],
    ] as const) {
      it(`is refused before its body is sent, for ${name}`, async () => {
        const answer = await raw(`${start}${fields}\r\n\r\n`);
        expect(statusOf(answer), answer).to.equal(status);
        expect(answer).to.match(/\r\nconnection: close\r\n/i);
      });
    }

    it('gets 100 Continue when its body is acceptable', async () => {
      const socket = connect(port, '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
        if (answer === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write('{"mensaje":1}');
      });
      const fields = 'Content-Type: application/json\r\nContent-Length: 13\r\nConnection: close';
      socket.write(`${start}${fields}\r\n\r\n`);
      await closed(socket);
      // The final answer is 503 because no RabbitMQ is configured.
      expect(answer).to.match(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 503 /);
    });
  });

  describe('over a slow or silent connection', () => {
    const open = async (): Promise<Socket> => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      return socket;
    };
    const answered = async (socket: Socket): Promise<string> => {
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      await closed(socket);
      return text;
    };

    it('gets 408 when its header arrives too slowly', async () => {
      const socket = await open();
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n');
      const dripping = setInterval(() => socket.write('X: y\r\n'), 50);
      const answer = await answered(socket);
      clearInterval(dripping);
      expect(statusOf(answer)).to.equal(408);
    });

    it('gets 408 when its body arrives too slowly', async () => {
      const socket = await open();
      socket.write(
        'POST /colas/a/mensajes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n',
      );
      socket.write('Content-Length: 1000\r\n\r\n{');
      const dripping = setInterval(() => socket.write(' '), 50);
      const answer = await answered(socket);
      clearInterval(dripping);
      expect(statusOf(answer)).to.equal(408);
    });

    it('loses its connection when an unread body arrives too slowly', async () => {
      const socket = await open();
      socket.write('GET /nada HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{');
      const dripping = setInterval(() => socket.write(' '), 50);
      const answer = await answered(socket);
      clearInterval(dripping);
      expect(statusOf(answer)).to.equal(404);
    });

    it('is answered while 10,000 silent connections are open, until they are closed', async () => {
      await archivero.end('gateway');
      await archivero.start('gateway', { HEADERS_TIMEOUT_MS: '5000', REQUEST_TIMEOUT_MS: '5000' });
      const closings: Promise<void>[] = [];
      for (let batch = 0; batch < 100; batch++) {
        for (let i = 0; i < 100; i++) {
          const socket = connect(port, '127.0.0.1').on('error', () => undefined);
          socket.resume();
          closings.push(closed(socket));
        }
        // One answer after each batch keeps the kernel's accept queue from overflowing.
        expect((await archivero.get('/listar_archivos')).status).to.equal(200);
      }
      await Promise.all(closings);
      expect((await archivero.get('/listar_archivos')).status).to.equal(200);
    });

    it('may use its connection again within KEEP_ALIVE_MS, though the other bounds are shorter', async () => {
      await archivero.end('gateway');
      await archivero.start('gateway', { KEEP_ALIVE_MS: '60000' });
      const socket = await open();
      const answer = async (): Promise<string> => {
        socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
        return String((await once(socket, 'data'))[0]);
      };
      expect(await answer()).to.match(/^HTTP\/1\.1 200 .*\r\nKeep-Alive: timeout=60\r\n/s);
      // A silent connection is closed by the bound on header fields, which is shorter: so that time has passed.
      await closed((await open()).resume());
      expect(statusOf(await answer())).to.equal(200);
      socket.destroy();
    });

    it('loses its connection when its answers are not read', async () => {
      const socket = await open();
      socket.pause();
      // Together these short answers exceed all buffers on the way.
      const line = `GET /nada/${'a'.repeat(12_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      const answered = () =>
        archivero.processes.get('gateway')?.lines.filter(({ msg }) => msg === 'request') ?? [];
      const before = answered().length;
      socket.write(line.repeat(2_000));
      await closed(socket);
      expect(answered().length - before).to.be.within(1, 1_999);
      expect((await archivero.get('/listar_archivos')).status).to.equal(200);
    });
  });
});

/** Resolves when the socket is closed. Unlike `once`, it does not reject at a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
