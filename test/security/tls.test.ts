import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePorts } from '../../scripts/free-ports.ts';
import { TemporaryFolder } from '../support/files/temporary-folder.ts';
import { setUp } from '../support/processes/set-up.ts';
import { startRabbit } from '../support/servers/rabbitmq.ts';

const certs = fileURLToPath(new URL('../../scripts/certs.ts', import.meta.url));

describe('TLS', () => {
  let dir: TemporaryFolder;
  let other: TemporaryFolder;
  const file = (name: string): string => dir.join(name);
  before(() => {
    dir = new TemporaryFolder();
    other = new TemporaryFolder();
    for (const folder of [dir, other]) {
      const { status, stderr } = spawnSync(process.execPath, [certs, '--dir', folder.path], {
        encoding: 'utf8',
      });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    }
  });
  after(() => {
    dir[Symbol.dispose]();
    other[Symbol.dispose]();
  });

  const https = (): Record<string, string> => ({
    GATEWAY_TLS_CERT: file('gateway.pem'),
    GATEWAY_TLS_KEY: file('gateway-key.pem'),
  });
  const services = (): Record<string, string> =>
    Object.fromEntries(
      ['mserv1', 'mserv2'].flatMap((name) => [
        [`${name.toUpperCase()}_TLS_CERT`, file(`${name}.pem`)],
        [`${name.toUpperCase()}_TLS_KEY`, file(`${name}-key.pem`)],
        [`${name.toUpperCase()}_TLS_CLIENT_CA`, file('ca.pem')],
      ]),
    );
  const serviceClient = (folder = dir): Record<string, string> => ({
    GRPC_TLS_CA: file('ca.pem'),
    GRPC_TLS_CERT: join(folder.path, 'gateway.pem'),
    GRPC_TLS_KEY: join(folder.path, 'gateway-key.pem'),
  });

  it('protects HTTP, and gRPC with certificates of both sides', async () => {
    await using archivero = await setUp({
      env: { ...https(), ...services(), ...serviceClient(), RABBITMQ_URL: '' },
    });
    const ask = (path: string): Promise<{ status: number | undefined; headers: Record<string, unknown> }> =>
      new Promise((resolve, reject) => {
        const url = archivero.url.replace('http:', 'https:') + path;
        get(url, { ca: readFileSync(file('ca.pem')), agent: false }, (res) => {
          res.resume();
          resolve({ status: res.statusCode, headers: res.headers });
        }).on('error', reject);
      });
    for (const path of ['/listar_archivos', '/buscar_archivos', '/salud']) {
      const { status, headers } = await ask(path);
      expect(status, path).to.equal(200);
      expect(headers['strict-transport-security']).to.match(/^max-age=\d+$/);
    }
    // Plain HTTP and TLS 1.1 are refused.
    await expectRefused(archivero.url);
    const socket = connectTls({
      host: '127.0.0.1',
      port: Number(new URL(archivero.url).port),
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
      rejectUnauthorized: false,
    });
    const failed = await new Promise<boolean>((resolve) => {
      socket.once('secureConnect', () => resolve(false));
      socket.once('error', () => resolve(true));
    });
    socket.destroy();
    expect(failed).to.equal(true);

    // The services refuse a gateway with a certificate of another authority, or without one.
    for (const tls of [serviceClient(other), { GRPC_TLS_CA: file('ca.pem') }, {}]) {
      await archivero.end('gateway');
      await archivero.start('gateway', { GRPC_TLS_CERT: '', GRPC_TLS_KEY: '', GRPC_TLS_CA: '', ...tls });
      expect((await ask('/listar_archivos')).status).to.equal(202);
    }
    // The gateway does not call services with a certificate of another authority.
    await archivero.end('gateway');
    await archivero.start('gateway', { ...serviceClient(), GRPC_TLS_CA: other.join('ca.pem') });
    expect((await ask('/listar_archivos')).status).to.equal(202);
  });

  it('prevents the start when its files are missing or do not match', async () => {
    for (const [tls, message] of [
      [{ ...https(), GATEWAY_TLS_KEY: file('nothing.pem') }, /GATEWAY_TLS_KEY: .*ENOENT/],
      [{ ...https(), GATEWAY_TLS_KEY: file('mserv1-key.pem') }, /GATEWAY_TLS_CERT: .*mismatch/],
      [{ GATEWAY_TLS_CERT: file('gateway.pem') }, /GATEWAY_TLS_KEY: missing/],
      [{ GRPC_TLS_CERT: 'a', GRPC_TLS_KEY: 'b' }, /GRPC_TLS_CA: missing/],
      [{ GRPC_TLS_CA: file('ca-key.pem') }, /GRPC_TLS_CA: /],
    ] as const) {
      const failure = await setUp({ running: ['gateway'], env: { RABBITMQ_URL: '', ...tls } }).then(
        async (archivero) => {
          await archivero[Symbol.asyncDispose]();
          return 'it started';
        },
        (err: Error) => err.message,
      );
      expect(failure).to.match(message).and.not.include('PRIVATE KEY');
    }
  });

  it('protects AMQP when the URL of RabbitMQ is amqps', async () => {
    const [port = 0] = await freePorts(1);
    const rabbit = await startRabbit({
      config: [
        `listeners.ssl.1 = 127.0.0.1:${port}`,
        `ssl_options.cacertfile = ${file('ca.pem')}`,
        `ssl_options.certfile = ${file('rabbitmq.pem')}`,
        `ssl_options.keyfile = ${file('rabbitmq-key.pem')}`,
        'ssl_options.verify = verify_peer',
        'ssl_options.fail_if_no_peer_cert = true',
      ],
    });
    try {
      const query = new URLSearchParams({
        heartbeat: '5',
        cacertfile: file('ca.pem'),
        certfile: file('gateway.pem'),
        keyfile: file('gateway-key.pem'),
      });
      const urlWith = (): string => `amqps://guest:guest@127.0.0.1:${port}?${query}`;
      await using archivero = await setUp({
        running: ['mserv1', 'gateway'],
        env: { RABBITMQ_URL: urlWith(), MSERV1_GRPC: 'off' },
      });
      const answer = await archivero.get('/listar_archivos', { prefer: 'wait=20' });
      expect(answer.status).to.equal(200);
      expect(answer.headers.get('servido-por')).to.equal('cola');

      query.set('cacertfile', other.join('ca.pem'));
      await archivero.end('gateway');
      const gateway = await archivero.start('gateway', { RABBITMQ_URL: urlWith() });
      await gateway.waitFor((line) => /certificate/.test(String(line['reason'])));
      expect((await archivero.get('/listar_archivos')).status).to.equal(202);
    } finally {
      await rabbit.stop();
    }
  });
});

async function expectRefused(url: string): Promise<void> {
  const failure = await fetch(url).then(
    () => 'it answered',
    () => 'refused',
  );
  expect(failure).to.equal('refused');
}
