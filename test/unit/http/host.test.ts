import { expect } from 'chai';
import { type HttpApp, startHttpApp } from '../../support/clients/http-app.ts';

const greeting: Parameters<typeof startHttpApp>[0] = (router) => {
  router.get('/', (ctx) => {
    ctx.body = 'ok';
  });
};

describe('the host guard', () => {
  let app: HttpApp;
  before(async () => {
    app = await startHttpApp(greeting, ['Archivos.example', 'solo.example:8080']);
  });
  after(() => app.stop());

  async function statusFor(host: string, target = '/'): Promise<string | undefined> {
    const answer = await app.raw(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return /^HTTP\/1.1 (\d+)/.exec(answer)?.[1];
  }

  for (const host of [
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1:5000',
    '[::1]',
    '[::1]:5000',
    'archivos.EXAMPLE:443',
    'solo.example:8080',
  ]) {
    it(`serves ${host}`, async () => expect(await statusFor(host)).to.equal('200'));
  }

  for (const host of [
    'evil.example',
    'localhost.evil.example',
    'evil.example:5000',
    'solo.example',
    'localhost@evil.example',
    'evil.example@localhost',
    '127.0.0.1.nip.io',
    '[::1].evil',
    'localhost, evil.example',
    '10.0.0.1',
    '',
  ]) {
    it(`refuses "${host}" with 421`, async () => expect(await statusFor(host)).to.equal('421'));
  }

  it('checks the target instead of Host when the target is in absolute form (RFC 9112, section 3.2.2)', async () => {
    expect(await statusFor('localhost', 'http://evil.example/')).to.equal('421');
    expect(await statusFor('evil.example', 'http://localhost/')).to.equal('200');
  });

  it('serves an HTTP/1.0 request without Host', async () => {
    expect(await app.raw('GET / HTTP/1.0\r\n\r\n')).to.match(/^HTTP\/1.1 200/);
  });

  it('refuses an HTTP/1.1 request without Host with a problem (RFC 9112, section 3.2)', async () => {
    for (const target of ['/', 'http://localhost/']) {
      const answer = await app.raw(`GET ${target} HTTP/1.1\r\nConnection: close\r\n\r\n`);
      expect(answer)
        .to.match(/^HTTP\/1.1 400/)
        .and.include('/problemas/peticion-no-valida');
    }
  });

  it('names the refused host in the problem', async () => {
    const answer = await app.raw('GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n');
    expect(answer).to.include('/problemas/host-no-permitido').and.include('«evil.example»');
  });

  it('serves every host when it allows *', async () => {
    const open = await startHttpApp(greeting, ['*']);
    try {
      const answer = await open.raw('GET / HTTP/1.1\r\nHost: any.example\r\nConnection: close\r\n\r\n');
      expect(answer).to.match(/^HTTP\/1.1 200/);
    } finally {
      await open.stop();
    }
  });
});
