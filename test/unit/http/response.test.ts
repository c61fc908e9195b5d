import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { setCommonHeader } from '../../../gateway/http/response.ts';
import { createHttpServer } from '../../../gateway/http/server.ts';

async function headersOf(answer: (res: ServerResponse) => void): Promise<Headers> {
  const server = createHttpServer(
    (_, res) => {
      setCommonHeader(res, 'X-Common', 'every answer');
      setCommonHeader(res, 'X-Other', 'every answer');
      answer(res);
    },
    () => undefined,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    expect(await response.text()).to.equal('body');
    return response.headers;
  } finally {
    server.close();
  }
}

describe('the common headers', () => {
  const answers: Readonly<Record<string, (res: ServerResponse) => void>> = {
    'without headers of its own': (res) => res.end('body'),
    'with a header set by name': (res) => res.setHeader('x-own', 'one').end('body'),
    'with a list of headers': (res) => res.writeHead(200, ['x-own', 'one']).end('body'),
    'with an object of headers': (res) => res.writeHead(200, { 'x-own': 'one' }).end('body'),
    'with a list after a header set by name': (res) =>
      res.setHeader('vary', 'Origin').writeHead(200, ['x-own', 'one']).end('body'),
    'sent in pieces': (res) => {
      res.flushHeaders();
      res.write('bo');
      res.end('dy');
    },
  };
  for (const [description, answer] of Object.entries(answers)) {
    it(`are part of an answer ${description}`, async () => {
      const headers = await headersOf(answer);
      expect([headers.get('x-common'), headers.get('x-other')]).to.deep.equal([
        'every answer',
        'every answer',
      ]);
    });
  }

  it('yield to a header of the same name that the answer sets', async () => {
    const headers = await headersOf((res) => res.setHeader('x-common', 'this answer').end('body'));
    expect([headers.get('x-common'), headers.get('x-other')]).to.deep.equal(['this answer', 'every answer']);
  });
});
